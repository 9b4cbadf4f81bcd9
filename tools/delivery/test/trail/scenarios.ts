import { createJsonCodec } from '@bento-bus/codecs';
import { eventually } from '@bento-bus/conformance';
import { createMessageBus } from '@bento-bus/core';
import { deadLetterTopic, retry, retryTopic } from '@bento-bus/dlq';
import { createTrail, findTrail, instrument, type TrailMessage } from '@bento-bus/observability';
import { afterEach, expect, it } from '@jest/globals';
import { openAdmin } from '../support/admin.ts';
import type { Backend } from '../support/backends.ts';

const limit = 30_000;
const codec = createJsonCodec();
const stepsOf = (message: TrailMessage | undefined, topic: string) =>
  message?.steps.map((step) => `${step.kind} ${step.topic.replace(topic, 'orders')}`);

/** The trail of a message in memory, and the same found on the backend. */
export function trailScenarios(backend: Backend, delayMs: number): void {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });

  it('knows what a message came from, what it caused, and how it became a dead letter; and finds it all on the backend', async () => {
    const trail = createTrail();
    const transport = instrument(await backend.open(), [trail]);
    const admin = openAdmin(backend, transport);
    const bus = createMessageBus({ transport, codec, source: '/trail' });
    closers.push(
      () => admin.close(),
      () => bus.close(),
    );
    const orders = backend.topic();
    const mails = `${orders}-mails`;
    for (const topic of [orders, mails]) {
      await admin.createTopic(topic);
      // Pulsar deletes what nobody needs any more.
      await admin.createGroup(topic, 'keeper', 'earliest');
    }
    await bus.subscribe(orders, (_, cause) => bus.publish(mails, 'hello', { id: `mail-${cause.id}`, cause }), {
      group: 'writer',
    });
    await bus.subscribe(
      mails,
      () => {
        throw new Error('no such address');
      },
      { group: 'sender', use: [retry({ attempts: 1, delays: [delayMs] })] },
    );
    await bus.publish(orders, 'other', { id: `${orders}-other` });
    const id = `${orders}-placed`;
    await bus.publish(orders, 'placed', { id });
    const mail = `mail-${id}`;
    const isDead = (): boolean | undefined => trail.of(mail)?.steps.some(({ kind }) => kind === 'dead-letter');
    await eventually(() => isDead() === true, { what: 'the dead letter', deadlineMs: limit });

    const [again, dead] = [retryTopic(mails, 'sender'), deadLetterTopic(mails, 'sender')];
    expect(stepsOf(trail.of(mail), mails)).toEqual([
      'sent orders',
      'failed orders',
      'retry orders-sender-RETRY',
      'failed orders-sender-RETRY',
      'dead-letter orders-sender-DLQ',
    ]);
    expect(trail.tree(id)).toMatchObject({ ancestors: [], caused: [{ message: { id: mail }, caused: [] }] });
    expect(trail.tree(mail)?.ancestors).toMatchObject([{ id, topic: orders }]);

    const progress: string[] = [];
    const found = await findTrail({
      id: mail,
      transport,
      admin,
      topics: [orders, mails],
      idleMs: 4_000,
      onProgress: ({ pass }) => void progress.push(pass),
    });
    expect(found).toMatchObject({ complete: true, messages: [{ id }, { id: mail }] });
    expect(found.tree).toMatchObject({ ancestors: [{ id, steps: [{ kind: 'sent', topic: orders }] }], caused: [] });
    const places = found.tree?.message.steps.filter(({ kind }) => kind !== 'retry');
    expect(places).toMatchObject([
      { kind: 'sent', topic: mails },
      { kind: 'dead-letter', topic: dead, group: 'sender', attempt: 2, errorCode: 'Error', error: 'no such address' },
    ]);
    // A broker may have deleted it: it is handled.
    const retries = found.tree?.message.steps.filter(({ kind }) => kind === 'retry') ?? [];
    expect(retries.every(({ topic, group, attempt }) => topic === again && group === 'sender' && attempt === 1)).toBe(
      true,
    );
    expect(progress).toEqual(['search', 'collect']);
    for (const topic of [orders, mails, dead])
      expect((await admin.listGroups(topic)).filter((group) => group.startsWith('bento-trace-'))).toEqual([]);
  }, 60_000);
}
