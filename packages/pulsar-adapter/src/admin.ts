import type { StartPosition } from '@bento-bus/core';
import type { Rest } from './admin/rest.ts';
import { HttpFailure, toBentoError } from './errors.ts';
import type { TopicName } from './names.ts';
import { type MessagePosition, parsePosition } from './position.ts';

/** What the broker knows of the storage of a topic or partition. */
export interface Storage {
  /** The last message stored; `''`: none since its ledgers were trimmed. */
  readonly last: MessagePosition;
  /** Messages on their way into storage. */
  readonly pending: number;
  /** What each subscription has acknowledged up to. */
  readonly acknowledged: ReadonlyMap<string, MessagePosition>;
}

// 9223372036854775807 is no JavaScript number.
const earliest = '{"ledgerId":-1,"entryId":-1,"partitionIndex":-1}';
const latest = '{"ledgerId":9223372036854775807,"entryId":9223372036854775807,"partitionIndex":-1}';

/** What the transport needs of Pulsar's administration. All rejections are `BentoError`s. */
export class Admin {
  readonly #rest: Rest;

  constructor(rest: Rest) {
    this.#rest = rest;
  }

  /** Partitions of a topic, 0 for one without; undefined: there is no such topic. */
  async partitions(topic: TopicName): Promise<number | undefined> {
    const path = `${topic.path}/partitions?checkAllowAutoCreation=false`;
    const { status, text } = await this.#rest.request(`look up topic "${topic.full}"`, 'GET', path, { fine: [404] });
    if (status === 404 && /namespace|tenant/i.test(text) && !/Topic/.test(text))
      throw toBentoError(new HttpFailure(status, text), `look up topic "${topic.full}"`);
    return status === 404 ? undefined : (JSON.parse(text) as { partitions: number }).partitions;
  }

  /** True: it is new. Nothing happens to one that exists. */
  async createTopic(topic: TopicName, partitions: number): Promise<boolean> {
    const what = `make topic "${topic.full}"`;
    const { status } =
      partitions === 0
        ? await this.#rest.request(what, 'PUT', topic.path, { fine: [409] })
        : await this.#rest.request(what, 'PUT', `${topic.path}/partitions`, { fine: [409], body: String(partitions) });
    return status !== 409;
  }

  /** True: it is new; false: it was there, and stays where it is. */
  async createSubscription(
    topic: TopicName,
    subscription: string,
    at: 'earliest' | 'latest' | { readonly position: MessagePosition },
  ): Promise<boolean> {
    const what = `make subscription "${subscription}" of "${topic.full}"`;
    const body = at === 'earliest' ? earliest : at === 'latest' ? latest : placeOf(at.position);
    const { status } = await this.#rest.request(what, 'PUT', subscriptionPath(topic, subscription), {
      fine: [409],
      body,
    });
    return status !== 409;
  }

  /** The same, also from a time on. */
  async createGroup(topic: TopicName, group: string, at: StartPosition): Promise<boolean> {
    if (typeof at === 'string') return this.createSubscription(topic, group, at);
    // From the end back, so that a member that comes in between gets nothing that is too old.
    const isNew = await this.createSubscription(topic, group, 'latest');
    if (isNew) await this.seekTime(topic, group, at.time);
    return isNew;
  }

  /** The next message that the subscription gets is the first one stored at or after `time`. */
  async seekTime(topic: TopicName, subscription: string, time: number): Promise<void> {
    const path = `${subscriptionPath(topic, subscription)}/resetcursor/${Math.trunc(time)}`;
    await this.#rest.request(`move subscription "${subscription}" of "${topic.full}"`, 'POST', path);
  }

  /** The next message that the subscription gets is the one at `position`, or the first one after it; also `'earliest'`, `'latest'`. */
  async seek(topic: TopicName, subscription: string, position: MessagePosition): Promise<void> {
    const path = `${subscriptionPath(topic, subscription)}/resetcursor`;
    await this.#rest.request(`move subscription "${subscription}" of "${topic.full}"`, 'POST', path, {
      body: position === 'earliest' ? earliest : position === 'latest' ? latest : placeOf(position, true),
    });
  }

  /** Its consumers are cut off. Nothing happens when there is none. */
  async deleteSubscription(topic: TopicName, subscription: string): Promise<void> {
    const path = `${subscriptionPath(topic, subscription)}?force=true`;
    await this.#rest.request(`remove subscription "${subscription}" of "${topic.full}"`, 'DELETE', path, {
      fine: [404],
    });
  }

  /** Names of the consumers that are connected to a subscription. */
  async consumers(topic: TopicName, partitions: number, subscription: string): Promise<ReadonlySet<string>> {
    const path = `${topic.path}/${partitions === 0 ? 'stats' : 'partitioned-stats?perPartition=true'}`;
    const stats = (await this.#rest.json<TopicStats>(`read the statistics of "${topic.full}"`, path)) ?? {};
    const names = new Set<string>();
    for (const part of [stats, ...Object.values(stats.partitions ?? {})])
      for (const { consumerName } of part.subscriptions?.[subscription]?.consumers ?? []) names.add(consumerName);
    return names;
  }

  /** Undefined: there is no such topic. */
  async storage(topic: TopicName): Promise<Storage | undefined> {
    const what = `read the statistics of "${topic.full}"`;
    const { status, text } = await this.#rest.request(what, 'GET', `${topic.path}/internalStats`, { fine: [404] });
    if (status === 404) return undefined;
    const { lastConfirmedEntry, pendingAddEntriesCount, cursors, ledgers } = JSON.parse(text) as InternalStats;
    const acknowledged = new Map(Object.entries(cursors).map(([name, cursor]) => [name, cursor.markDeletePosition]));
    // A ledger that is new, as after a restart of the broker, hides the one before; one that was trimmed is remembered.
    const [ledger, entry] = parsePosition(lastConfirmedEntry);
    const filled = ledgers.findLast(({ entries }) => entries > 0);
    const before = filled === undefined ? '' : `${filled.ledgerId}:${filled.entries - 1}`;
    const last = entry >= 0 && ledgers.some(({ ledgerId }) => ledgerId === ledger) ? lastConfirmedEntry : before;
    return { last, pending: pendingAddEntriesCount, acknowledged };
  }

  /** The message that stands `back` before the end (1: the last one), its body as text; undefined: there is none. */
  async messageFromEnd(topic: TopicName, back: number): Promise<string | undefined> {
    const path = `${topic.path}/examinemessage?initialPosition=latest&messagePosition=${back}`;
    const { status, text } = await this.#rest.request(`read "${topic.full}"`, 'GET', path, { fine: [412, 404] });
    return status === 200 ? text : undefined;
  }

  /** Rejects with `AUTHENTICATION` where the broker does not take these credentials (any more). */
  async checkAccess(): Promise<void> {
    await this.#rest.request('connect', 'GET', 'clusters');
  }

  async deduplicates(topic: TopicName): Promise<boolean> {
    const path = `${topic.path}/deduplicationEnabled?applied=true`;
    return (await this.#rest.json<boolean>(`read the policies of "${topic.full}"`, path)) === true;
  }

  async enableDeduplication(topic: TopicName): Promise<void> {
    const what = `enable deduplication on "${topic.full}"`;
    await this.#rest.request(what, 'POST', `${topic.path}/deduplicationEnabled`, { body: 'true' });
  }

  async retention(topic: TopicName): Promise<Retention> {
    const path = `${topic.path}/retention?applied=true`;
    const none: Retention = { retentionTimeInMinutes: 0, retentionSizeInMB: 0 };
    return (await this.#rest.json<Retention>(`read the policies of "${topic.full}"`, path)) ?? none;
  }

  async setRetention(topic: TopicName, retention: Retention): Promise<void> {
    const what = `set the retention of "${topic.full}"`;
    await this.#rest.request(what, 'POST', `${topic.path}/retention`, { body: JSON.stringify(retention) });
  }

  /** Compacts the topic whenever it has grown by `bytes`, unless that is set already. */
  async setCompaction(topic: TopicName, bytes: number): Promise<void> {
    const path = `${topic.path}/compactionThreshold`;
    const what = `set the compaction of "${topic.full}"`;
    if (!(await this.#rest.json<number>(what, `${path}?applied=true`)))
      await this.#rest.request(what, 'POST', path, { body: String(bytes) });
  }
}

/** Minutes and megabytes; -1: without limit. */
export interface Retention {
  readonly retentionTimeInMinutes: number;
  readonly retentionSizeInMB: number;
}

interface TopicStats {
  readonly subscriptions?: Readonly<
    Record<string, { readonly consumers: readonly { readonly consumerName: string }[] }>
  >;
  readonly partitions?: Readonly<Record<string, TopicStats>>;
}

interface InternalStats {
  readonly lastConfirmedEntry: MessagePosition;
  readonly pendingAddEntriesCount: number;
  readonly ledgers: readonly { readonly ledgerId: number; readonly entries: number }[];
  readonly cursors: Readonly<Record<string, { readonly markDeletePosition: MessagePosition }>>;
}

const placeOf = (position: MessagePosition, inBatch = false): string => {
  const [ledger, entry, index] = parsePosition(position);
  const batch = index < 0 || !inBatch ? '' : `,"batchIndex":${index}`;
  return `{"ledgerId":${ledger},"entryId":${entry},"partitionIndex":-1${batch}}`;
};

export const subscriptionPath = (topic: TopicName, subscription: string): string =>
  `${topic.path}/subscription/${encodeURIComponent(subscription)}`;
