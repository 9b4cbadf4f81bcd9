import { BentoError, type Message } from '@bento-bus/core';
import { publishFailure, withDeadline } from '@bento-bus/core/adapter';
import { partitionOf } from '../key-hash.ts';
import { type Names, partitionTopic, type TopicName } from '../names.ts';
import type { Topics } from '../topics.ts';
import type { Encoder } from './encode.ts';
import { type ProducerContext, TopicProducer } from './producer.ts';

export interface PublisherContext extends Omit<ProducerContext, 'onIdle'> {
  readonly names: Names;
  readonly topics: Topics;
  readonly encoder: Encoder;
  readonly maxProducers: number;
  readonly publishTimeoutMs: number;
  readonly closeMs: number;
}

/** A producer that nobody used for this long is closed. */
const idleMs = 60_000;

/** Publishes to any topic: producers are opened when they are needed, one a topic and partition, and a bounded number is kept. */
export class Publisher {
  readonly #context: PublisherContext;
  /** The one used last is the last one. */
  readonly #producers = new Map<string, TopicProducer>();
  readonly #idleSince = new Map<TopicProducer, number>();
  #reaper: NodeJS.Timeout | undefined;
  #closed: BentoError | undefined;
  #open = 0;
  #onDrained: (() => void) | undefined;

  constructor(context: PublisherContext) {
    this.#context = context;
  }

  async publish(name: string, messages: readonly Message[]): Promise<void> {
    if (this.#closed !== undefined) throw this.#closed;
    const { names, topics, encoder, publishTimeoutMs } = this.#context;
    const topic = names.topic(name, 'publish to');
    const encoded = messages.map((message) => encoder.encode(name, message));
    if (encoded.length === 0) return;
    const deadline = performance.now() + publishTimeoutMs;
    this.#open += 1;
    try {
      const partitions = await topics.partitions(topic);
      await new Promise<void>((resolve, reject) => {
        let open = encoded.length;
        let failed: number[] | undefined;
        let cause: BentoError | undefined;
        const end = (): void => {
          if (failed === undefined) resolve();
          else reject(publishError(name, encoded.length, failed, cause as BentoError));
        };
        for (const [index, { key, message }] of encoded.entries()) {
          const target = partitions === 0 ? topic : partitionTopic(topic, partitionOf(key, partitions));
          const done = (error?: BentoError): void => {
            if (error !== undefined) {
              (failed ??= []).push(index);
              cause ??= error;
            }
            if ((open -= 1) === 0) end();
          };
          this.#producer(target).send({ message, deadline, done });
        }
      });
    } finally {
      if ((this.#open -= 1) === 0) this.#onDrained?.();
    }
  }

  /** Stores one message of the adapter's own: a body as JSON, null: a tombstone. Rejects with what went wrong. */
  async store(
    topic: TopicName,
    key: string,
    value: unknown,
    properties: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const { driver, publishTimeoutMs } = this.#context;
    const body = value === null ? new Uint8Array(0) : Buffer.from(JSON.stringify(value));
    const message = driver.encode({ key, properties, body, deliverAt: undefined });
    const deadline = performance.now() + publishTimeoutMs;
    await new Promise<void>((resolve, reject) => {
      const done = (error?: BentoError): void => (error === undefined ? resolve() : reject(error));
      this.#producer(topic).send({ message, deadline, done });
    });
  }

  /** Lets what is under way finish, up to `closeMs`. */
  async close(reason: BentoError): Promise<void> {
    this.#closed = reason;
    clearInterval(this.#reaper);
    if (this.#open > 0) {
      const drained = new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
      await withDeadline(drained, this.#context.closeMs, () => {});
    }
    await Promise.all(Array.from(this.#producers.values(), (producer) => producer.close(reason)));
    this.#producers.clear();
  }

  #producer(topic: TopicName): TopicProducer {
    let producer = this.#producers.get(topic.full);
    if (producer === undefined) {
      producer = new TopicProducer(topic, { ...this.#context, onIdle: (idle) => this.#onIdle(idle) });
      this.#producers.set(topic.full, producer);
      this.#reaper ??= setInterval(() => this.#reap(idleMs), idleMs / 4).unref();
    }
    this.#idleSince.delete(producer);
    return producer;
  }

  #onIdle(producer: TopicProducer): void {
    if (this.#closed !== undefined || this.#producers.get(producer.topic.full) !== producer) return;
    this.#idleSince.set(producer, performance.now());
    if (this.#producers.size > this.#context.maxProducers) this.#reap(Number.POSITIVE_INFINITY);
  }

  /** Closes what has been idle for `ms`, and those idle longest beyond the bound. The map has them in the order of their idling. */
  #reap(ms: number): void {
    const before = performance.now() - ms;
    for (const [producer, since] of this.#idleSince) {
      if (since > before && this.#producers.size <= this.#context.maxProducers) return;
      this.#idleSince.delete(producer);
      this.#producers.delete(producer.topic.full);
      const { full } = producer.topic;
      void producer.close(
        new BentoError(
          'CLOSED',
          `pulsar-adapter: cannot publish to "${full}": its producer was idle. Publish it again.`,
          true,
        ),
      );
    }
  }
}

function publishError(topic: string, count: number, failed: number[], error: BentoError): BentoError {
  const message = `pulsar-adapter: cannot publish ${failed.length} of ${count} messages to "${topic}": ${error.message.replace(/^pulsar-adapter: /, '')}`;
  return publishFailure({ message, failed, count, error });
}
