import { BentoError } from '@bento-bus/core';
import type { Driver } from './driver.ts';
import { toBentoError } from './errors.ts';
import type { ResolvedOptions } from './options.ts';

/** Names that Kafka takes. */
const legal = /^[A-Za-z0-9._-]{1,249}$/;

/** Throws a `CONFIGURATION` error unless Kafka takes the name. Source: org.apache.kafka.common.internals.Topic. */
export function checkTopic(doing: string, topic: unknown): void {
  if (typeof topic === 'string' && legal.test(topic) && topic !== '.' && topic !== '..') return;
  throw new BentoError(
    'CONFIGURATION',
    `kafka-adapter: cannot ${doing} topic "${String(topic)}": Kafka does not take this name. Use 1 to 249 of the letters A to Z and a to z, digits, ".", "_" and "-".`,
  );
}

/** What a topic is to be, where it is made. */
export interface TopicNeeds {
  readonly compacted?: boolean;
  readonly partitions?: number;
  /** Settings of the topic, by the broker's names. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Makes topics that are missing, once each. */
export class Topics {
  readonly #driver: Driver;
  readonly #options: ResolvedOptions;
  readonly #known = new Map<string, Promise<void>>();

  constructor(driver: Driver, options: ResolvedOptions) {
    this.#driver = driver;
    this.#options = options;
  }

  /** True: it is known to exist, nothing has to be awaited. */
  has(topic: string): boolean {
    return this.#ready.has(topic);
  }

  readonly #ready = new Set<string>();

  /** Resolves when the topic exists. */
  ensure(topic: string, needs: TopicNeeds = {}): Promise<void> {
    let ensuring = this.#known.get(topic);
    if (ensuring === undefined) {
      ensuring = this.#ensure(topic, needs).then(
        () => void this.#ready.add(topic),
        (error: unknown) => {
          this.forget(topic);
          throw toBentoError(error, `use topic "${topic}"`);
        },
      );
      this.#known.set(topic, ensuring);
    }
    return ensuring;
  }

  /** It may have been deleted. */
  forget(topic: string): void {
    this.#known.delete(topic);
    this.#ready.delete(topic);
  }

  async #ensure(topic: string, { compacted = false, partitions, config = {} }: TopicNeeds): Promise<void> {
    const { createTopics, replicationFactor } = this.#options;
    if (await this.#driver.exists(topic)) return;
    if (!createTopics)
      throw new BentoError(
        'UNKNOWN_TOPIC',
        `kafka-adapter: cannot use topic "${topic}": it does not exist. Create it, or allow createTopics.`,
      );
    await this.#driver.create({
      topic,
      partitions: partitions ?? this.#options.partitions,
      replicationFactor,
      // Small segments: only what is not written to any more is compacted.
      config: compacted ? { 'cleanup.policy': 'compact', 'segment.bytes': '1048576', ...config } : config,
    });
  }
}
