import assert from 'node:assert/strict';
import type { GroupDescription, Message, MessagingAdmin, PeekedMessage, Subscription } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { uniqueName } from '../names.ts';
import { assertSameIds } from '../same-ids.ts';
import { cleanupLimit, type Scenario, unmetNeeds } from '../scenario.ts';
import { TransportContext } from '../transport/context.ts';
import { Recorder } from '../transport/recorder.ts';
import { type AdminHarness, type AdminNeed, adminNeeds } from './harness.ts';

/** What a scenario works with. Topics that it has made are deleted when it has ended. */
export class AdminContext extends TransportContext {
  readonly settings: AdminHarness;
  #first: MessagingAdmin | undefined;
  readonly #made: string[] = [];

  constructor(harness: AdminHarness) {
    super(harness);
    this.settings = harness;
  }

  override async begin(): Promise<void> {
    await super.begin();
    this.#first = await this.createAdmin();
  }

  override async end(): Promise<void> {
    await super.end();
    const left = this.#first;
    if (left === undefined) return;
    const cleared = Promise.allSettled(this.#made.map((topic) => left.deleteTopic(topic))).then(() => left.close());
    await withDeadline(cleared, cleanupLimit(this.settings), () => {}).catch(() => {});
  }

  /** A client of its own. */
  createAdmin(): Promise<MessagingAdmin> {
    return this.within('creating an admin', this.settings.createAdmin(this.transport));
  }

  get admin(): MessagingAdmin {
    assert.ok(this.#first);
    return this.#first;
  }

  get partitions(): number {
    return this.settings.partitions ?? 3;
  }

  /** Where the harness declares one. */
  get setting(): NonNullable<AdminHarness['setting']> {
    assert.ok(this.settings.setting);
    return this.settings.setting;
  }

  /** A name of its own, whose topic is deleted at the end, if there is one. */
  name(prefix = 'conformance'): string {
    const name = uniqueName(prefix);
    this.#made.push(name);
    return name;
  }

  /** Makes a topic by the port under test. */
  override async topic(partitions: number = this.partitions): Promise<string> {
    const name = this.name();
    await this.within('making a topic', this.admin.createTopic(name, { partitions }));
    return name;
  }

  /** A topic and a group that is to read all of it. */
  async grouped(partitions?: number): Promise<{ readonly topic: string; readonly group: string }> {
    const [topic, group] = [await this.topic(partitions), this.group()];
    await this.admin.createGroup(topic, group, 'earliest');
    return { topic, group };
  }

  /** Publishes one after the other, as some backends count what was published together as one. Keys in turn. */
  async publishEach(topic: string, count: number, keys: number = count): Promise<Message[]> {
    const messages = this.messages(count, keys);
    for (const message of messages) await this.transport.publish(topic, [message]);
    return messages;
  }

  /** A member of the group that acknowledges what it gets. */
  async read(
    topic: string,
    group: string,
  ): Promise<{ readonly recorder: Recorder; readonly subscription: Subscription }> {
    const recorder = new Recorder();
    const subscription = await this.subscribe(topic, recorder.handler(), { group });
    return { recorder, subscription };
  }

  /**
   * A member of the group gets these, each once and at its first attempt, and nothing else. It is gone afterwards, and the backend knows
   * what it acknowledged, which may be on its way for a moment.
   */
  async assertGets(topic: string, group: string, expected: readonly Pick<Message, 'id'>[]): Promise<void> {
    const { recorder, subscription } = await this.read(topic, group);
    await this.eventually('handling what is to come', () => recorder.hasAll(expected));
    // Behind whatever else may come: one in each partition, very likely.
    const keys = Array.from({ length: 8 * this.partitions }, (_, index) => `last${index}`);
    const last = keys.map((key) => this.message({ key }));
    await this.transport.publish(topic, last);
    await this.eventually('handling the last messages', () => recorder.hasAll(last));
    assertSameIds(
      recorder.ids,
      [...expected, ...last].map(({ id }) => id),
      'handled',
    );
    for (const { id, attempt } of recorder.calls) assert.equal(attempt, 1, `attempt of ${id}`);
    await this.within('closing the subscription', subscription.close());
    await this.backlog(topic, group, 0);
  }

  /** A member of the group fails what has the key `k0`, and acknowledges the `others`. It is gone afterwards. */
  async failFirstKey(topic: string, group: string, others: number): Promise<void> {
    const handled = new Set<string>();
    const member = await this.subscribe(
      topic,
      async ({ message: { id, key } }) => {
        if (key === 'k0') throw new Error('not yet');
        handled.add(id);
      },
      { group, concurrency: 4, maxHoldMs: 600_000 },
    );
    await this.eventually('handling the others', () => handled.size === others);
    await this.within('closing the subscription', member.close());
  }

  /** Waits until the group has so much before it. */
  async backlog(topic: string, group: string, expected: number): Promise<GroupDescription> {
    let found = await this.admin.describeGroup(topic, group);
    await this.eventually(`a backlog of ${expected}`, async () => {
      found = await this.admin.describeGroup(topic, group);
      assert.equal(found.backlog, expected);
    });
    return found;
  }

  /** What the group has before it, in the order of the partition. */
  async ahead(topic: string, group: string, partition: number): Promise<readonly PeekedMessage[]> {
    return this.admin.peek(topic, group, { partition, count: 1_000 });
  }

  /** The partition with most messages before the group, and these. */
  async fullest(topic: string, group: string): Promise<readonly PeekedMessage[]> {
    const all: (readonly PeekedMessage[])[] = [];
    for (let partition = 0; partition < this.partitions; partition += 1)
      all.push(await this.ahead(topic, group, partition));
    return all.toSorted((a, b) => b.length - a.length)[0] as readonly PeekedMessage[];
  }
}

export const idsOf = (peeked: readonly PeekedMessage[]): string[] => peeked.map(({ message }) => message.id);

/** A promise of the port for administration. */
export type AdminScenario = Scenario<AdminHarness>;

/** Makes a scenario; `needs` are what the harness must declare. */
export const scenario = (
  name: string,
  needs: readonly AdminNeed[],
  body: (context: AdminContext) => Promise<void>,
): AdminScenario => ({
  name,
  unmet: (harness) => unmetNeeds(adminNeeds, needs, harness),
  run: async (harness) => {
    const context = new AdminContext(harness);
    try {
      await context.begin();
      await context.whole(body(context));
    } finally {
      await context.end();
    }
  },
});
