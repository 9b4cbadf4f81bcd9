import { BentoError } from '@bento-bus/core';
import type { Admin } from './admin.ts';
import { type TopicName } from './names.ts';

interface Known {
  readonly partitions: Promise<number>;
  readonly at: number;
}

/** As Pulsar's own clients: a topic that got more partitions is found out within this time. */
const refreshMs = 60_000;

/** Topics that are known to exist, and how many partitions they have. Missing ones are made where that is allowed. */
export class Topics {
  readonly #admin: Admin;
  readonly #create: boolean;
  readonly #partitions: number;
  readonly #known = new Map<string, Known>();

  constructor(admin: Admin, create: boolean, partitions: number) {
    this.#admin = admin;
    this.#create = create;
    this.#partitions = partitions;
  }

  /** 0: a topic without partitions. Always the same promise while nothing changes, so that callers go on in the order of their calls. */
  partitions(topic: TopicName): Promise<number> {
    const known = this.#known.get(topic.full);
    if (known !== undefined) {
      if (performance.now() - known.at > refreshMs) void this.#refresh(topic, known);
      return known.partitions;
    }
    if (this.#known.size > 10_000) this.#known.clear();
    const partitions = this.#ensure(topic);
    this.#known.set(topic.full, { partitions, at: performance.now() });
    partitions.catch(() => this.#known.delete(topic.full));
    return partitions;
  }

  async #refresh(topic: TopicName, known: Known): Promise<void> {
    this.#known.set(topic.full, { ...known, at: performance.now() });
    const partitions = await this.#admin.partitions(topic).catch(() => undefined);
    if (partitions === undefined) this.#known.delete(topic.full);
    else if (partitions !== (await known.partitions))
      this.#known.set(topic.full, { partitions: Promise.resolve(partitions), at: performance.now() });
  }

  async #ensure(topic: TopicName): Promise<number> {
    const found = await this.#admin.partitions(topic);
    if (found !== undefined) return found;
    if (!this.#create)
      throw new BentoError(
        'UNKNOWN_TOPIC',
        `pulsar-adapter: cannot use topic "${topic.full}": it does not exist. Create it, or set createTopics.`,
      );
    await this.#admin.createTopic(topic, this.#partitions);
    // Another process may have made it with other partitions.
    return (await this.#admin.partitions(topic)) ?? this.#partitions;
  }
}
