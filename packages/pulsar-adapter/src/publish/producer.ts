import { BentoError } from '@bento-bus/core';
import type { Backoff } from '@bento-bus/core/adapter';
import type { Driver, DriverProducer, EncodedMessage } from '../driver.ts';
import { toBentoError } from '../errors.ts';
import type { TopicName } from '../names.ts';

/** One message on its way. Exactly one of the outcomes is told, once. */
export interface Sending {
  readonly message: EncodedMessage;
  /** When it is given up, on the clock of `performance.now()`. */
  readonly deadline: number;
  readonly done: (error?: BentoError) => void;
}

export interface ProducerContext {
  readonly driver: Driver;
  readonly window: number;
  readonly batching: boolean;
  readonly backoff: Backoff;
  /** Nothing is on its way any more. */
  readonly onIdle: (producer: TopicProducer) => void;
}

/** How often deadlines are looked at. */
const sweepMs = 100;

/**
 * Sends to one topic or partition, in order, a bounded number at once, whatever becomes of connections: what was sent and not confirmed
 * is sent again, before all else, until its deadline.
 */
export class TopicProducer {
  readonly topic: TopicName;
  readonly #context: ProducerContext;
  /** Sent and not confirmed, in order. */
  #sent = new Map<number, Sending>();
  #queue: Sending[] = [];
  /** The first of the queue that is not sent. */
  #next = 0;
  #sequence = 0;
  #producer: DriverProducer | undefined;
  #connecting = false;
  #closed: BentoError | undefined;
  #fault: BentoError | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  constructor(topic: TopicName, context: ProducerContext) {
    this.topic = topic;
    this.#context = context;
  }

  get pending(): number {
    return this.#sent.size + this.#queue.length - this.#next;
  }

  send(sending: Sending): void {
    if (this.#closed !== undefined) {
      sending.done(this.#closed);
      return;
    }
    this.#queue.push(sending);
    this.#sweep ??= setInterval(() => this.#expire(), sweepMs);
    if (this.#producer === undefined) void this.#connect();
    else this.#pump(this.#producer);
  }

  /** What is on its way is failed with `reason`; the caller waits for it before. */
  async close(reason: BentoError): Promise<void> {
    this.#closed ??= reason;
    clearInterval(this.#sweep);
    this.#wake?.();
    for (const sending of this.#takeAll()) sending.done(this.#closed);
    const producer = this.#producer;
    this.#producer = undefined;
    await producer?.close();
  }

  #takeAll(): Sending[] {
    const all = [...this.#sent.values(), ...this.#queue.slice(this.#next)];
    this.#sent.clear();
    this.#queue = [];
    this.#next = 0;
    return all;
  }

  #pump(producer: DriverProducer): void {
    while (this.#sent.size < this.#context.window && this.#next < this.#queue.length) {
      const sending = this.#queue[this.#next++] as Sending;
      this.#sent.set(++this.#sequence, sending);
      producer.send(this.#sequence, sending.message);
    }
    if (this.#next === this.#queue.length || this.#next > 4_096) {
      this.#queue.splice(0, this.#next);
      this.#next = 0;
    }
  }

  #settled(sequence: number, error?: BentoError): void {
    const sending = this.#sent.get(sequence);
    if (sending === undefined) return;
    this.#sent.delete(sequence);
    sending.done(error);
    if (this.#producer !== undefined) this.#pump(this.#producer);
    if (this.pending === 0) this.#rest();
  }

  #rest(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#wake?.();
    this.#context.onIdle(this);
  }

  async #connect(): Promise<void> {
    if (this.#connecting) return;
    this.#connecting = true;
    for (let failures = 0; this.pending > 0 && this.#closed === undefined && this.#producer === undefined; ) {
      try {
        await this.#open();
      } catch (error) {
        this.#fault = toBentoError(error, `publish to "${this.topic.full}"`);
        if (!this.#fault.retryable) for (const sending of this.#takeAll()) sending.done(this.#fault);
        failures += 1;
        await this.#wait(this.#context.backoff(failures));
      }
    }
    this.#connecting = false;
    if (this.pending === 0 && this.#closed === undefined) this.#rest();
  }

  async #open(): Promise<void> {
    const { driver, window, batching } = this.#context;
    let lost: BentoError | undefined;
    let current: DriverProducer | undefined;
    const producer = await driver.openProducer(
      this.topic,
      { window, batching },
      {
        onAck: (sequence) => this.#settled(sequence),
        onFailure: (sequence, error) => {
          if (!error.retryable) this.#settled(sequence, error);
          // Later ones may be on their way: all are sent again, in order.
          else if (current !== undefined && this.#producer === current) {
            void current.close();
            this.#lost(error);
          }
        },
        onClose: (error) => {
          lost = error;
          if (current !== undefined && this.#producer === current) this.#lost(error);
        },
      },
    );
    if (lost !== undefined) throw lost;
    if (this.#closed !== undefined) {
      await producer.close();
      return;
    }
    current = producer;
    this.#producer = producer;
    this.#fault = undefined;
    const again = [...this.#sent.values()];
    this.#sent = new Map();
    this.#queue = [...again, ...this.#queue.slice(this.#next)];
    this.#next = 0;
    this.#pump(producer);
  }

  #lost(error: BentoError): void {
    this.#producer = undefined;
    this.#fault = error;
    if (this.pending > 0) void this.#reconnect();
  }

  /** Not at once: the broker that closed one connection may close the next. */
  async #reconnect(): Promise<void> {
    if (this.#connecting) return;
    await this.#wait(this.#context.backoff(1));
    await this.#connect();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #expire(): void {
    const now = performance.now();
    for (const [sequence, { deadline }] of this.#sent) {
      if (deadline > now) break;
      this.#settled(sequence, this.#late());
    }
    while ((this.#queue[this.#next]?.deadline ?? Infinity) <= now)
      (this.#queue[this.#next++] as Sending).done(this.#late());
    if (this.pending === 0 && this.#sweep !== undefined) this.#rest();
  }

  #late(): BentoError {
    const cause = this.#fault?.message ?? 'the broker did not confirm it in time';
    const clause = cause.replace(/^pulsar-adapter: cannot publish to "[^"]*": /, '').replace(/\.\s*$/, '');
    const text = `pulsar-adapter: cannot publish to "${this.topic.full}" within its time: ${clause}. Publish it again.`;
    return new BentoError(this.#fault?.code ?? 'TIMEOUT', text, true, { cause: this.#fault });
  }
}
