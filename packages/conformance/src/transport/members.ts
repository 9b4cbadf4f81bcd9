import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import type { Subscription, Transport } from '@bento-bus/core';
import { assertSameIds } from '../same-ids.ts';
import { deadlineOf } from '../scenario.ts';
import { assertFirstInOrder, assertOneAtATime } from './calls.ts';
import { scenario, type TransportContext, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';
import { Traffic } from './traffic.ts';

interface Member {
  readonly name: string;
  readonly subscription: Subscription;
  readonly client: Transport;
}

/** Members of one group, all with one recorder. */
class Members {
  readonly recorder = new Recorder();
  readonly topic: string;
  readonly #c: TransportContext;
  readonly #group: string;
  #count = 0;

  constructor(c: TransportContext, topic: string) {
    this.#c = c;
    this.topic = topic;
    this.#group = c.group();
  }

  /** How many messages have been handled. */
  get handled(): number {
    return this.recorder.handledOnce.size;
  }

  async join(): Promise<Member> {
    const client = await this.#c.client();
    const name = `m${(this.#count += 1)}`;
    const subscription = await this.#c.subscribe(
      this.topic,
      this.recorder.handler(() => setTimeout(this.#c.random() * 5), name),
      { group: this.#group, concurrency: 4, drainMs: 600_000, on: client },
    );
    return { name, subscription, client };
  }

  /** Resolves while it has something at work. */
  async busy({ name }: Member): Promise<void> {
    const isBusy = (): boolean => this.recorder.calls.some(({ by, end }) => by === name && end === undefined);
    await this.#c.eventually('the member at work', isBusy);
  }

  async more(count: number): Promise<void> {
    const enough = this.handled + count;
    await this.#c.eventually('handling more messages', () => this.handled >= enough);
  }
}

export const memberScenarios: readonly TransportScenario[] = [
  scenario('handles nothing twice when members close under load', [], async (c) => {
    const members = new Members(c, await c.topic());
    const [first, second] = [await members.join(), await members.join(), await members.join()];
    const traffic = new Traffic(c, members.topic, () => members.handled);
    await members.more(100);
    await members.busy(first);
    await c.within('closing a subscription', first.subscription.close());
    await members.more(100);
    await members.busy(second);
    // Where it is the only one, the others would be closed too.
    const closeable = c.harness.clients === 'one' ? second.subscription : second.client;
    await c.within('closing a client', closeable.close());
    await members.more(100);
    const messages = await traffic.end();
    await c.eventually('handling all messages', () => members.recorder.hasAll(messages));
    await c.assertNothingElse(members.topic, members.recorder, traffic.keys);
    const ids = messages.map(({ id }) => id);
    const own = new Set(ids);
    assertSameIds(
      members.recorder.ids.filter((id) => own.has(id)),
      ids,
      'handled by the group',
    );
    if (c.harness.capabilities.ordering === 'key') members.recorder.assertOrderPerKey(messages);
  }),

  scenario(
    'loses nothing while ten members join and leave under load, and no key has two at once',
    ['ordering'],
    async (c) => {
      const members = new Members(c, await c.topic());
      const { recorder } = members;
      const present = [await members.join()];
      const traffic = new Traffic(c, members.topic, () => members.handled);
      for (let joined = 1; joined < 10; joined += 1) {
        await members.more(20);
        present.push(await members.join());
        // One to three are at work at a time.
        while (present.length > 3 || (present.length > 1 && c.random() < 0.4))
          await c.within('leaving', (present.shift() as Member).subscription.close());
      }
      await members.more(20);
      const messages = await traffic.end();
      await c.eventually('handling all messages', () => recorder.hasAll(messages));
      assertOneAtATime(recorder.calls, messages);
      assertFirstInOrder(recorder.calls, messages);
    },
    (harness) => 3 * deadlineOf(harness),
  ),

  scenario(
    'leaves a message with its handler, which takes longer than the session of its member',
    ['session'],
    async (c) => {
      const { sessionMs = 0 } = c.harness;
      const topic = await c.topic();
      const group = c.group();
      const recorder = new Recorder();
      const gate = c.gate();
      const slow = c.message({ key: 'slow' });
      const handler = recorder.handler(({ message }) => (message.id === slow.id ? gate.opened : undefined));
      for (let member = 0; member < 2; member += 1)
        await c.subscribe(topic, handler, { group, concurrency: 4, drainMs: 600_000, on: await c.client() });
      const behind = c.message({ key: 'slow' });
      await c.transport.publish(topic, [slow, behind]);
      await c.eventually('the slow handler at work', () => recorder.running === 1);
      await c.quiet('one handler for the message', () => recorder.calls.length === 1, sessionMs * 1.5 + c.quietMs);
      const others = c.messages(20, 10);
      await c.transport.publish(topic, others);
      await c.eventually('handling the other messages', () => recorder.hasAll(others));
      gate.open();
      await c.eventually('handling all messages', () => recorder.hasAll([slow, behind]));
      await c.assertNothingElse(topic, recorder, ['slow', 'k0']);
      assert.equal(recorder.of(slow).length, 1, 'calls for the slow message');
    },
    (harness) => deadlineOf(harness) + 2 * (harness.sessionMs ?? 0),
  ),
];
