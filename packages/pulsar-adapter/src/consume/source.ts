import { type BentoError, type Delivery, headerNames, type Logger } from '@bento-bus/core';
import { type Backoff, type Lanes, readRecord, type WireFormat } from '@bento-bus/core/adapter';
import type { ConsumerOptions, Driver, DriverConsumer, IncomingMessage } from '../driver.ts';
import type { TopicName } from '../names.ts';
import { contentOf } from '../publish/encode.ts';
import type { Attempts } from './attempts.ts';

/** One message in the hands of a member. */
export interface Taken {
  readonly source: Source;
  readonly position: string;
  /** What to acknowledge it with. */
  handle: unknown;
  /** The connection that it came by last. */
  connection: number;
  /** The attempt that its handler was started with last; 0: not yet. */
  started: number;
}

export interface SourceOptions {
  /** As the application calls it. */
  readonly name: string;
  readonly topic: TopicName;
  readonly consumer: ConsumerOptions;
  readonly driver: Driver;
  readonly format: WireFormat;
  readonly backoff: Backoff;
  readonly attempts: Attempts;
  readonly lanes: () => Lanes<Taken>;
  /** The most that it may have in hand and asked for. */
  readonly budget: number;
  /** It cannot go on. */
  readonly onFault: (error: BentoError) => void;
  readonly logger: Logger;
}

/** Acknowledgements that may have been lost with the connection. */
const rememberedAcks = 10_000;
/** How long a name is waited for that the broker has not let go of yet. */
const conflictMs = 60_000;

/**
 * One topic of a subscription: a consumer that is opened again whenever it is lost, and what it has in hand. A message that comes again
 * while it is in hand is not handled twice, and one whose acknowledgement was lost with the connection is acknowledged again. In one
 * file, since every step changes the same tables.
 */
export class Source {
  readonly options: SourceOptions;
  readonly #inHand = new Map<string, Taken>();
  readonly #early = new Map<string, NodeJS.Timeout>();
  #consumer: DriverConsumer | undefined;
  #connection = 0;
  #asked = 0;
  /** Acknowledged at this connection, and at the one before, while it may still come again. */
  #acked = new Set<string>();
  #lostAcks = new Set<string>();
  #flowing = false;
  #waiting = false;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(options: SourceOptions) {
    this.options = options;
  }

  /** The message is in hand. */
  has(position: string): boolean {
    return this.#inHand.has(position);
  }

  /** Attaches for the first time; a fault is the caller's. Nothing comes before {@link flow}. */
  async open(): Promise<void> {
    await this.#attach();
  }

  /** From now on messages may come. */
  flow(): void {
    this.#flowing = true;
    this.permit();
  }

  /** Asks for more where there is room. */
  permit(): void {
    const consumer = this.#consumer;
    if (consumer === undefined || !this.#flowing || this.#stopped || this.#waiting) return;
    const { budget, lanes } = this.options;
    const room = lanes().room();
    if (room !== undefined) {
      this.#waiting = true;
      void this.#permitAfter(room);
      return;
    }
    const count = budget - this.#inHand.size - this.#asked;
    // Not one by one: a permit is a frame.
    if (count <= 0 || (count < budget / 4 && this.#asked > 0)) return;
    this.#asked += count;
    consumer.permit(count);
  }

  #isStopped(): boolean {
    return this.#stopped;
  }

  async #permitAfter(room: Promise<void>): Promise<void> {
    await room;
    this.#waiting = false;
    this.permit();
  }

  /** Acknowledges. The broker takes it by another connection than the message came by; without one, when it comes again. */
  settle(taken: Taken): void {
    const { position, handle, connection } = taken;
    this.#inHand.delete(position);
    if (this.#consumer === undefined || connection !== this.#connection) this.#lostAcks.add(position);
    else if (this.#acked.size < rememberedAcks) this.#acked.add(position);
    this.#consumer?.ack(handle);
    this.options.attempts.settled(position);
    this.permit();
  }

  /** The handler gets it. */
  started(position: string, attempt: number): void {
    const taken = this.#inHand.get(position);
    if (taken !== undefined) taken.started = attempt;
  }

  /** Nothing more comes; what is in hand stays. */
  stop(): void {
    this.#stopped = true;
    this.#dropEarly();
    this.#wake?.();
  }

  /** Flushes acknowledgements and lets go. */
  async close(): Promise<void> {
    this.stop();
    const consumer = this.#consumer;
    this.#consumer = undefined;
    await consumer?.close();
  }

  async #attach(): Promise<void> {
    const { driver, topic, consumer: options } = this.options;
    let lost: BentoError | undefined;
    let current: DriverConsumer | undefined;
    const consumer = await driver.openConsumer(topic, options, {
      onMessage: (message) => this.#onMessage(message),
      onClose: (error) => {
        lost = error;
        if (current !== undefined && this.#consumer === current) this.#onLost(error);
      },
    });
    if (this.#stopped) {
      await consumer.close();
      return;
    }
    if (lost !== undefined) throw lost;
    current = consumer;
    this.#consumer = consumer;
    this.#connection += 1;
    this.#asked = 0;
    this.permit();
  }

  #onLost(error: BentoError): void {
    const { logger, topic, consumer, lanes } = this.options;
    logger.warn('pulsar-adapter: the connection of a consumer is lost; it is opened again', {
      topic: topic.full,
      group: consumer.subscription,
      error,
    });
    this.#consumer = undefined;
    this.#dropEarly();
    // What was acknowledged last may come again, and so does what is in hand: what nobody has begun is given back.
    this.#lostAcks = new Set([...this.#lostAcks, ...this.#acked].slice(-rememberedAcks));
    this.#acked = new Set();
    for (const taken of lanes().discard((_, one) => one.source === this && one.started === 0))
      this.#inHand.delete(taken.position);
    void this.#reattach();
  }

  async #reattach(): Promise<void> {
    const since = performance.now();
    for (let failures = 1; !this.#stopped; failures += 1) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.options.backoff(failures));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      if (this.#isStopped()) return;
      try {
        await this.#attach();
        return;
      } catch (error) {
        const { code, retryable } = error as BentoError;
        // The broker may not have noticed yet that the one before is gone.
        const early = code === 'GROUP_CONFLICT' && performance.now() - since < conflictMs;
        if (retryable || early) continue;
        this.options.onFault(error as BentoError);
        return;
      }
    }
  }

  #onMessage(message: IncomingMessage): void {
    // A driver may give a few more than it was asked for.
    this.#asked = Math.max(0, this.#asked - 1);
    if (this.#stopped) return;
    const { position, handle } = message;
    const inHand = this.#inHand.get(position);
    if (inHand !== undefined) Object.assign(inHand, { handle, connection: this.#connection });
    else if (this.#lostAcks.delete(position)) this.#consumer?.ack(handle);
    else this.#take(message);
    this.permit();
  }

  #take(message: IncomingMessage): void {
    const { name, attempts, format } = this.options;
    const { position, handle, key, publishTime } = message;
    const record = { topic: name, key, timestamp: publishTime, position, ...contentOf(message) };
    const taken: Taken = { source: this, position, handle, connection: this.#connection, started: 0 };
    this.#inHand.set(position, taken);
    const decoded = readRecord(format, record);
    const { attempt, condemned } = attempts.guard?.take(position) ?? { attempt: 1, condemned: undefined };
    const delivery: Delivery = { topic: name, message: decoded, attempt, position };
    const due = decoded.headers[headerNames.deliverAt];
    const early = due === undefined ? 0 : Number(due) - Date.now();
    if (early > 0) this.#hold(delivery, taken, condemned, early);
    else this.#push(delivery, taken, condemned);
  }

  #push(delivery: Delivery, taken: Taken, condemned: unknown): void {
    if (!this.options.lanes().push(delivery, taken, condemned)) this.#inHand.delete(taken.position);
  }

  #dropEarly(): void {
    for (const [position, timer] of this.#early) {
      clearTimeout(timer);
      this.#inHand.delete(position);
    }
    this.#early.clear();
  }

  /** Pulsar delays for shared types only, and up to a tick too short. */
  #hold(delivery: Delivery, taken: Taken, condemned: unknown, ms: number): void {
    const { position } = taken;
    const timer = setTimeout(
      () => {
        this.#early.delete(position);
        const left = Number(delivery.message.headers[headerNames.deliverAt]) - Date.now();
        if (left > 0) this.#hold(delivery, taken, condemned, left);
        else this.#push(delivery, taken, condemned);
      },
      Math.min(ms, 2 ** 31 - 1),
    );
    this.#early.set(position, timer);
  }
}
