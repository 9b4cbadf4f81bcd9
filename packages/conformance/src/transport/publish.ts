import assert from 'node:assert/strict';
import { isBentoError, type PublishError } from '@bento-bus/core';
import { rejection } from '../errors.ts';
import { assertSameIds } from '../same-ids.ts';
import { scenario, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

export const publishScenarios: readonly TransportScenario[] = [
  scenario('publishes no message without a fault', [], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler());
    await c.transport.publish(topic, []);
    await c.assertNothingElse(topic, recorder);
  }),

  scenario('delivers many messages, published by many at once, each once', [], async (c) => {
    const { volume = 10_000 } = c.harness;
    const topic = await c.topic();
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler(), { concurrency: 64 });
    const messages = c.messages(volume, 500);
    // 20 publishers with a key set each, of which one call is under way.
    const publish = async (publisher: number): Promise<void> => {
      const own = messages.filter((_, index) => index % 20 === publisher);
      for (let from = 0; from < own.length; from += 50) await c.transport.publish(topic, own.slice(from, from + 50));
    };
    await Promise.all(Array.from({ length: 20 }, (_, publisher) => publish(publisher)));
    await c.eventually(`handling ${volume} messages`, () => recorder.hasAll(messages));
    assertSameIds(
      recorder.ids,
      messages.map(({ id }) => id),
      'handled',
    );
    if (c.harness.capabilities.ordering === 'key') recorder.assertOrderPerKey(messages);
  }),

  scenario('tells which messages of a publish were not confirmed; the others are stored', ['refused'], async (c) => {
    const topic = await c.topic();
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler());
    const messages = c.messages(5, 1);
    const [first, second, third, ...rest] = messages;
    assert.ok(first && second && third && c.harness.refusedMessage);
    const refused = c.harness.refusedMessage(third);
    const error = await rejection('publish', c.transport.publish(topic, [first, second, refused, ...rest]));
    assert.equal(error.retryable, false, 'the same message would be refused again');
    // A fault found before sending sends nothing; of a PublishError only `failed` is in doubt.
    const failed = isBentoError(error, 'PUBLISH') ? (error as PublishError).failed : messages.map((_, index) => index);
    assert.ok(failed.includes(2), 'the refused message is among the failed');
    assert.deepEqual(
      failed,
      [...new Set(failed)].toSorted((a, b) => a - b),
      'failed is ascending',
    );
    const confirmed = messages.filter((_, index) => !failed.includes(index));
    const last = c.message({ key: 'k0' });
    await c.transport.publish(topic, [last]);
    await c.eventually('handling what was confirmed', () => recorder.hasAll([...confirmed, last]));
    const possible = isBentoError(error, 'PUBLISH') ? messages.filter((_, index) => index !== 2) : confirmed;
    const foreign = recorder.ids.filter((id) => id !== last.id && possible.every((message) => message.id !== id));
    assert.deepEqual(foreign, [], 'handled without being confirmed');
  }),
];
