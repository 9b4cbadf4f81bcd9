import {
  type BatchHandler,
  type BatchOptions,
  BentoError,
  type Capabilities,
  type CheckpointedItem,
  type CheckpointedPublisher,
  type Delivery,
  type DeliveryHandler,
  type Message,
  type SubscribeOptions,
  type Subscription,
  type Transport,
} from '@bento-bus/core';
import {
  closeOnce,
  type PreparedSubscription,
  prepareSubscription,
  resolveSubscribeOptions,
  type SubscriptionHandler,
} from '@bento-bus/core/adapter';

/** The time that it tells its middleware. */
const now = 1_000_000;

export const messageOf = (id: string, given: Partial<Message> = {}): Message => ({
  id,
  type: 'order.placed',
  source: '/test',
  time: now - 2_000,
  headers: {},
  body: new Uint8Array(),
  ...given,
});

/**
 * The least that is a transport, as a class with private fields: a publish hands everything to every subscription at once, tries a
 * second time what failed, and gives what failed again to the hook. Publishing and log take down what they got.
 */
export class SmallTransport implements Transport {
  readonly name = 'small';
  readonly capabilities: Capabilities = {
    durable: false,
    ordering: 'key',
    sharesGroupAcrossProcesses: false,
    startPositions: ['latest'],
    delays: false,
  };
  readonly published: (readonly [topic: string, ids: string])[] = [];
  readonly logged: (readonly [items: readonly CheckpointedItem[], through: string])[] = [];
  /** The next publish rejects with it. */
  refusal: unknown;
  readonly #subscriptions = new Set<{ readonly prepared: PreparedSubscription; readonly single: boolean }>();
  readonly #closing = closeOnce(() => this.#subscriptions.clear());

  async publish(topic: string, messages: readonly Message[]): Promise<void> {
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal !== undefined) throw refusal;
    this.published.push([topic, messages.map(({ id }) => id).join(' ')]);
    for (const { prepared, single } of this.#subscriptions) {
      if (!prepared.topics.includes(topic)) continue;
      const batches = single ? messages.map((message) => [message]) : [messages];
      for (const batch of batches) await this.#deliver(prepared, topic, batch);
    }
  }

  subscribe(topics: readonly string[], each: DeliveryHandler, options: SubscribeOptions): Promise<Subscription> {
    return this.#open(topics, { each }, options);
  }

  subscribeBatch(
    topics: readonly string[],
    batch: BatchHandler,
    options: SubscribeOptions & BatchOptions,
  ): Promise<Subscription> {
    return this.#open(topics, { batch }, options);
  }

  async openCheckpointed(): Promise<CheckpointedPublisher> {
    const publish = async (items: readonly CheckpointedItem[], through: string): Promise<void> => {
      if (this.refusal !== undefined) throw this.refusal;
      this.logged.push([items, through]);
    };
    return { resumeAfter: '5', publish, ...closeOnce(() => {}) };
  }

  /** Something that not every transport can. */
  backlog(): number {
    return this.#subscriptions.size;
  }

  set limit(value: number) {
    if (this.#subscriptions.size > value) throw new BentoError('CONFIGURATION', 'small: too many. Close some.');
  }

  close(): Promise<void> {
    return this.#closing.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(
    topics: readonly string[],
    handler: SubscriptionHandler,
    options: SubscribeOptions,
  ): Promise<Subscription> {
    const prepared = prepareSubscription(topics, handler, resolveSubscribeOptions('small', topics, options), {
      adapter: 'small',
      publisher: this,
      lane: () => ({ heldMs: 0, backlog: 0 }),
      clock: { now: () => now, schedule: () => () => {} },
    });
    const opened = { prepared, single: 'each' in handler };
    this.#subscriptions.add(opened);
    const closing = closeOnce(async () => void this.#subscriptions.delete(opened));
    return { closed: new Promise(() => {}), ...closing };
  }

  async #deliver(prepared: PreparedSubscription, topic: string, messages: readonly Message[]): Promise<void> {
    const { signal } = new AbortController();
    let left: Delivery[] = messages.map((message, i) => ({ topic, message, attempt: 1, position: String(i) }));
    let errors: unknown[] = [];
    for (let attempt = 1; attempt <= 2 && left.length > 0; attempt += 1) {
      const outcomes = await prepared.handler(
        left.map((delivery) => ({ ...delivery, attempt })),
        signal,
      );
      errors = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]));
      left = left.filter((_, i) => outcomes[i]?.ok !== true);
    }
    for (const [i, delivery] of left.entries()) await prepared.exhausted(delivery, errors[i]);
  }
}
