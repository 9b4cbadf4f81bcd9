import assert from 'node:assert/strict';
import {
  type CheckpointedItem,
  type CheckpointedOptions,
  type CheckpointedPublisher,
  canPublishCheckpointed,
  type Position,
  type Transport,
} from '@bento-bus/core';
import { rejection } from '../errors.ts';
import { uniqueName } from '../names.ts';
import { assertSameIds } from '../same-ids.ts';
import { scenario, type TransportContext, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

const position = (place: number): Position => String(place).padStart(16, '0');

/** A log whose events stand at the places 1, 2, …; what is published of it goes to one topic, key by key in turn. */
class TestLog {
  readonly name: string = uniqueName('log');
  readonly topic: string;
  readonly items: readonly CheckpointedItem[];
  readonly #c: TransportContext;

  private constructor(c: TransportContext, topic: string, length: number) {
    this.#c = c;
    this.topic = topic;
    const messages = c.messages(length, 5);
    this.items = messages.map((message, index) => ({ topic, message, position: position(index + 1) }));
  }

  static async create(c: TransportContext, length: number, topic?: string): Promise<TestLog> {
    return new TestLog(c, topic ?? (await c.topic()), length);
  }

  async open(
    on: Transport = this.#c.transport,
    options: Pick<CheckpointedOptions, 'onStandby' | 'signal'> = {},
  ): Promise<CheckpointedPublisher> {
    assert.ok(canPublishCheckpointed(on));
    const head = position(this.items.length);
    return this.#c.within(
      'opening the log',
      on.openCheckpointed(this.name, { topics: [this.topic], head, ...options }),
    );
  }

  /** Items at the places `from` to `to`. */
  slice(from: number, to: number): readonly CheckpointedItem[] {
    return this.items.slice(from - 1, to);
  }

  after(after: Position): readonly CheckpointedItem[] {
    return this.items.filter((item) => item.position > after);
  }

  async assertHandledOnce(recorder: Recorder, upTo: number = this.items.length): Promise<void> {
    const messages = this.slice(1, upTo).map(({ message }) => message);
    await this.#c.eventually('handling the items of the log', () => recorder.hasAll(messages));
    await this.#c.assertNothingElse(this.topic, recorder, ['k0', 'k1', 'k2', 'k3', 'k4']);
    const own = new Set(this.items.map(({ message }) => message.id));
    assertSameIds(
      recorder.ids.filter((id) => own.has(id)),
      messages.map(({ id }) => id),
      'handled of the log',
    );
    if (this.#c.harness.capabilities.ordering === 'key') recorder.assertOrderPerKey(messages);
  }
}

export const checkpointScenarios: readonly TransportScenario[] = [
  scenario('publishes a log and skips what stands at or before the checkpoint', ['checkpointed'], async (c) => {
    const log = await TestLog.create(c, 30);
    const recorder = new Recorder();
    await c.subscribe(log.topic, recorder.handler());
    const publisher = await log.open();
    assert.equal(publisher.resumeAfter, '', 'a new log begins before its first position');
    await publisher.publish(log.slice(1, 10), position(10));
    await publisher.publish(log.slice(6, 20), position(20));
    await publisher.publish(log.slice(1, 20), position(20));
    await publisher.publish(log.slice(15, 30), position(30));
    await log.assertHandledOnce(recorder);
  }),

  scenario('moves the checkpoint over what is not published', ['checkpointed'], async (c) => {
    const log = await TestLog.create(c, 40);
    const recorder = new Recorder();
    await c.subscribe(log.topic, recorder.handler());
    const publisher = await log.open();
    await publisher.publish(log.slice(1, 5), position(10));
    await publisher.publish([], position(20));
    await publisher.publish(log.slice(1, 20), position(20));
    await publisher.publish(log.slice(21, 25), position(30));
    const published = [...log.slice(1, 5), ...log.slice(21, 25)].map(({ message }) => message);
    await c.eventually('handling what was published', () => recorder.hasAll(published));
    await c.assertNothingElse(log.topic, recorder, ['k0', 'k1', 'k2', 'k3', 'k4']);
    assertSameIds(
      recorder.ids.slice(0, published.length),
      published.map(({ id }) => id),
      'handled',
    );
    await publisher.close();
    const again = await log.open(await c.client());
    assert.equal(again.resumeAfter, position(30), 'everything at or before it is stored or passed over');
  }),

  scenario('goes on exactly where a log stopped, however often it is opened', ['checkpointed'], async (c) => {
    const log = await TestLog.create(c, 120);
    const recorder = new Recorder();
    await c.subscribe(log.topic, recorder.handler(), { concurrency: 4 });
    for (let through = ''; through < position(log.items.length); ) {
      const publisher = await log.open(await c.client());
      assert.equal(publisher.resumeAfter, through, 'it resumes after what was published');
      let chunk = log.after(publisher.resumeAfter);
      // Some chunks a time, always with what the checkpoint says is missing in front.
      for (let chunks = 1 + Math.floor(c.random() * 3); chunks > 0 && chunk.length > 0; chunks -= 1) {
        const length = 1 + Math.floor(c.random() * 12);
        through = chunk[Math.min(length, chunk.length) - 1]?.position ?? through;
        await publisher.publish(chunk.slice(0, length), through);
        chunk = chunk.slice(length);
      }
      if (c.random() < 0.5) await publisher.close();
    }
    await log.assertHandledOnce(recorder);
  }),

  scenario('fences the publisher of a log that is opened again', ['checkpointed'], async (c) => {
    const log = await TestLog.create(c, 20);
    const recorder = new Recorder();
    await c.subscribe(log.topic, recorder.handler());
    const first = await log.open();
    await first.publish(log.slice(1, 5), position(5));
    const second = await log.open(await c.client());
    await rejection('publishing after the fence', first.publish(log.slice(6, 10), position(10)), 'FENCED');
    assert.equal(second.resumeAfter, position(5));
    await second.publish(log.slice(6, 20), position(20));
    await rejection('publishing after the fence', first.publish(log.slice(6, 20), position(20)), 'FENCED');
    await log.assertHandledOnce(recorder);
  }),

  scenario('waits for the holder of a log to close, when told to stand by', ['checkpointed'], async (c) => {
    const log = await TestLog.create(c, 20);
    const recorder = new Recorder();
    await c.subscribe(log.topic, recorder.handler());
    const first = await log.open();
    await first.publish(log.slice(1, 5), position(5));
    let told = 0;
    let isOpen = false;
    const onStandby = (): void => void (told += 1);
    const opening = log.open(await c.client(), { onStandby }).finally(() => {
      isOpen = true;
    });
    const abort = new AbortController();
    const impatient = log.open(await c.client(), { onStandby, signal: abort.signal });
    // Judged below.
    for (const one of [opening, impatient]) one.catch(() => {});
    await c.eventually('telling that both wait', () => told === 2);
    abort.abort();
    await assert.rejects(impatient, 'a wait ends with its signal');
    await first.publish(log.slice(6, 10), position(10));
    await c.quiet('the other waits', () => !isOpen);
    await c.within('closing the publisher', first.close());
    const second = await opening;
    assert.equal(second.resumeAfter, position(10));
    await second.publish(log.slice(11, 20), position(20));
    assert.equal(told, 2, 'it is told once');
    await log.assertHandledOnce(recorder);
  }),

  scenario('keeps the checkpoints of logs apart', ['checkpointed'], async (c) => {
    const one = await TestLog.create(c, 10);
    const other = await TestLog.create(c, 10, one.topic);
    const recorder = new Recorder();
    await c.subscribe(one.topic, recorder.handler());
    const first = await one.open();
    await first.publish(one.slice(1, 10), position(10));
    const second = await other.open(await c.client());
    assert.equal(second.resumeAfter, '', 'another log is another checkpoint');
    await second.publish(other.slice(1, 5), position(5));
    await first.publish([], position(10));
    const published = [...one.slice(1, 10), ...other.slice(1, 5)].map(({ message }) => message);
    await c.eventually('handling the items of both', () => recorder.hasAll(published));
    await one.assertHandledOnce(recorder);
    await other.assertHandledOnce(recorder, 5);
  }),

  scenario(
    'publishes a log after a publisher of it, its client and its signal have ended',
    ['checkpointed'],
    async (c) => {
      const log = await TestLog.create(c, 10);
      const recorder = new Recorder();
      await c.subscribe(log.topic, recorder.handler());
      const { transport } = c;
      assert.ok(canPublishCheckpointed(transport));
      const opening = { topics: [log.topic], head: position(10) };
      const aborted = transport.openCheckpointed(log.name, { ...opening, signal: AbortSignal.abort() });
      await assert.rejects(c.within('opening with an aborted signal', aborted));
      const publisher = await log.open();
      await publisher.publish(log.slice(1, 5), position(5));
      const closing = publisher.close();
      assert.equal(publisher.close(), closing, 'a second close returns the same promise');
      await c.within('closing the publisher', closing);
      await rejection('publishing after close', publisher.publish(log.slice(6, 10), position(10)), 'CLOSED', 'FENCED');
      const next = await log.open();
      assert.equal(next.resumeAfter, position(5));
      await next.publish(log.slice(6, 10), position(10));
      await log.assertHandledOnce(recorder);
      await c.within('closing the transport', transport.close());
      await rejection('opening after close', transport.openCheckpointed(log.name, opening), 'CLOSED');
    },
  ),
];
