// A minimal backend with the checkpointed power, for the tests of this package only (by the layer rule it may not use inprocess-bus).
// What a broker keeps stands in `LogBackend`: topics, and a checkpoint a log that is written together with the messages, under a fence.
// A `LogTransport` is one process's connection to it; tests "crash" a process by forgetting its transport.
import {
  type BatchHandler,
  type BatchOptions,
  BentoError,
  type CheckpointedItem,
  type CheckpointedOptions,
  type CheckpointedPublisher,
  type CheckpointedPublishing,
  type Codec,
  type Delivery,
  FencedError,
  type Message,
  type Position,
  type SubscribeOptions,
  type Subscription,
  type Transport,
} from '@bento-bus/core';
import {
  closeOnce,
  createLanes,
  type Lanes,
  prepareSubscription,
  resolveSubscribeOptions,
} from '@bento-bus/core/adapter';

export const jsonCodec: Codec = {
  contentType: 'application/json',
  encode: (value) => ({ body: new TextEncoder().encode(JSON.stringify(value)) }),
  decode: (body) => JSON.parse(new TextDecoder().decode(body)),
};

interface Log {
  epoch: number;
  checkpoint: Position;
}

/** Faults to inject: called before and after the backend stores; what it throws is what the publisher throws. */
export interface Faults {
  beforeStore?: (items: readonly CheckpointedItem[]) => void | Promise<void>;
  afterStore?: (items: readonly CheckpointedItem[]) => void | Promise<void>;
  onOpen?: () => void | Promise<void>;
}

export class LogBackend {
  readonly topics = new Map<string, Message[]>();
  readonly logs = new Map<string, Log>();
  /** Open now. */
  publishers = 0;
  readonly heads: (Position | undefined)[] = [];
  readonly listeners = new Set<() => void>();

  append(topic: string, messages: readonly Message[]): void {
    const stored = this.topics.get(topic) ?? [];
    stored.push(...messages);
    this.topics.set(topic, stored);
    for (const listener of this.listeners) listener();
  }

  /** Everything published, topic by topic. */
  get messages(): readonly Message[] {
    return [...this.topics.values()].flat();
  }
}

export class LogTransport implements Transport, CheckpointedPublishing {
  readonly name = 'log-backend';
  readonly capabilities = {
    durable: false,
    ordering: 'key',
    sharesGroupAcrossProcesses: false,
    startPositions: ['earliest'],
    delays: false,
  } as const;
  readonly #closeable = closeOnce(() => undefined);
  readonly backend: LogBackend;
  readonly faults: Faults;

  constructor(backend: LogBackend = new LogBackend(), faults: Faults = {}) {
    this.backend = backend;
    this.faults = faults;
  }

  close(): Promise<void> {
    return this.#closeable.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async publish(topic: string, messages: readonly Message[]): Promise<void> {
    this.backend.append(topic, messages);
  }

  async openCheckpointed(log: string, options: CheckpointedOptions): Promise<CheckpointedPublisher> {
    const { backend, faults } = this;
    await faults.onOpen?.();
    if (options.onStandby !== undefined && backend.publishers > 0) options.onStandby();
    while (options.onStandby !== undefined && backend.publishers > 0) {
      options.signal?.throwIfAborted();
      await new Promise(setImmediate);
    }
    const state = backend.logs.get(log) ?? { epoch: 0, checkpoint: '' };
    backend.logs.set(log, state);
    backend.heads.push(options.head);
    state.epoch += 1;
    const { epoch } = state;
    let closed = false;
    backend.publishers += 1;
    return {
      resumeAfter: state.checkpoint,
      async publish(items, through) {
        if (closed) throw new BentoError('CLOSED', 'log-backend: cannot publish: the publisher is closed.');
        await faults.beforeStore?.(items);
        if (state.epoch !== epoch) throw new FencedError('log-backend: cannot publish: another process has the log.');
        for (const { message, position, topic } of items) {
          if (position <= state.checkpoint) continue;
          if (!options.topics.includes(topic))
            throw new BentoError('UNKNOWN_TOPIC', `log-backend: "${topic}" was not named.`);
          backend.append(topic, [message]);
          state.checkpoint = position;
        }
        if (through > state.checkpoint) state.checkpoint = through;
        await faults.afterStore?.(items);
      },
      ...closeOnce(() => {
        closed = true;
        backend.publishers -= 1;
      }),
    };
  }

  async subscribe(): Promise<Subscription> {
    throw new Error('log-backend: not needed by these tests');
  }

  async subscribeBatch(
    topics: readonly string[],
    handler: BatchHandler,
    options: SubscribeOptions & BatchOptions,
  ): Promise<Subscription> {
    const { backend } = this;
    const resolved = resolveSubscribeOptions('log-backend', topics, options);
    let lanes: Lanes<undefined>;
    const prepared = prepareSubscription(topics, { batch: handler }, resolved, {
      adapter: 'log-backend',
      publisher: this,
      lane: (delivery) => lanes.stateOf(delivery),
    });
    lanes = createLanes({
      ...resolved,
      handler: prepared.handler,
      exhausted: prepared.exhausted,
      settle: () => undefined,
      onFault: (error) => {
        throw error;
      },
    });
    const read = new Map(topics.map((topic) => [topic, 0]));
    const feed = (): void => {
      for (const [topic, offset] of read) {
        const messages = backend.topics.get(topic) ?? [];
        read.set(topic, messages.length);
        for (const [index, message] of messages.slice(offset).entries()) {
          const delivery: Delivery = { topic, message, attempt: 1, position: String(offset + index) };
          lanes.push(delivery, undefined);
        }
      }
    };
    backend.listeners.add(feed);
    feed();
    let end = nothing;
    const closed = new Promise<void>((resolve) => {
      end = resolve;
    });
    const closing = closeOnce(async () => {
      backend.listeners.delete(feed);
      await lanes.drain(resolved.drainMs);
      await prepared.close();
      end();
    });
    return { closed, ...closing };
  }
}

const nothing = (): void => {};

/** Polls until `check` holds; fails with its last error after `ms`. */
export async function eventually(check: () => void | Promise<void>, ms = 5_000): Promise<void> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
