import { setTimeout } from 'node:timers/promises';
import {
  BentoError,
  type GroupAdmin,
  type GroupMember,
  type PartitionBacklog,
  type ResetPosition,
  type StartPosition,
} from '@bento-bus/core';
import { subscriptionPath } from '../admin.ts';
import { checkName, partitionTopic, type TopicName } from '../names.ts';
import type { AdminContext } from './context.ts';
import { nextPosition, peekPartition } from './peek.ts';
import { checkCount } from './topics.ts';

interface SubscriptionStats {
  readonly msgBacklog: number;
  readonly consumers: readonly { readonly consumerName: string; readonly address?: string }[];
}
interface Stats {
  readonly subscriptions?: Readonly<Record<string, SubscriptionStats>>;
  readonly partitions?: Readonly<Record<string, Stats>>;
}

/** A topic without partitions, or one partition. */
export interface Part {
  readonly partition: number;
  readonly topic: TopicName;
}

/** A group on a topic, both of which are there. */
interface Found {
  readonly topic: TopicName;
  readonly parts: readonly (Part & { readonly stats: SubscriptionStats | undefined })[];
}

/** What members have acknowledged is on its way for so long (clients gather it for 100 ms), and the broker knows a member that closed. Milliseconds. */
const leavingMs = 1_000;
const askAgainMs = 100;
/** Requests at once to partitions. */
const atOnce = 8;

/** Subscriptions of topics. */
export function groupAdmin(context: AdminContext): Omit<GroupAdmin, keyof AsyncDisposable | 'close'> {
  const { rest, admin, names } = context;

  const partsOf = async (topic: TopicName, doing: string): Promise<readonly Part[]> => {
    const count = await context.partitionsOf(topic, doing);
    if (count === 0) return [{ partition: 0, topic }];
    return Array.from({ length: count }, (_, partition) => ({ partition, topic: partitionTopic(topic, partition) }));
  };

  const find = async (name: string, group: string, doing: string): Promise<Found> => {
    const topic = names.topic(name, doing);
    checkName(group, 'group', doing);
    const parts = await partsOf(topic, doing);
    const isSingle = parts[0]?.topic === topic;
    const kind = isSingle ? 'stats?' : 'partitioned-stats?perPartition=true&';
    const what = `read the statistics of "${topic.full}"`;
    const stats = await rest.json<Stats>(what, `${topic.path}/${kind}getPreciseBacklog=true`);
    const found = parts.map(({ partition, topic: part }) => ({
      partition,
      topic: part,
      stats: (isSingle ? stats : stats?.partitions?.[part.full])?.subscriptions?.[group],
    }));
    if (found.some((part) => part.stats !== undefined)) return { topic, parts: found };
    throw unknownGroup(doing, group, topic);
  };

  /** The same once members that closed just now are gone at the broker, which hears of it later than they. */
  const findSettled = async (name: string, group: string, doing: string): Promise<Found> => {
    let found = await find(name, group, doing);
    for (const begin = Date.now(); isAtWork(found) && Date.now() - begin < leavingMs; ) {
      await setTimeout(askAgainMs);
      found = await find(name, group, doing);
    }
    return found;
  };

  const createGroup = async (name: string, group: string, at: StartPosition = 'latest'): Promise<boolean> => {
    const topic = names.topic(name, 'make a group of');
    checkName(group, 'group', 'make');
    if (typeof at !== 'string') checkTime(`make group "${group}" of "${topic.full}"`, at.time);
    await context.partitionsOf(topic, 'make a group of');
    return admin.createGroup(topic, group, at);
  };

  const listGroups = async (name: string): Promise<readonly string[]> => {
    const topic = names.topic(name, 'list the groups of');
    await context.partitionsOf(topic, 'list the groups of');
    return context.groups(topic);
  };

  const describeGroup: GroupAdmin['describeGroup'] = async (name, group) => {
    const { parts } = await find(name, group, 'describe a group of');
    const partitions = await mapSome(parts, async ({ partition, topic, stats }): Promise<PartitionBacklog> => {
      const backlog = stats?.msgBacklog ?? 0;
      const next = backlog > 0 ? await nextPosition(context, topic, group) : undefined;
      return { partition, backlog, ...(next !== undefined && { next }) };
    });
    const members = new Map<string, { readonly address?: string; readonly partitions: number[] }>();
    for (const { partition, stats } of parts)
      for (const { consumerName: id, address } of stats?.consumers ?? []) {
        const member = members.get(id) ?? { ...(address !== undefined && { address }), partitions: [] };
        member.partitions.push(partition);
        members.set(id, member);
      }
    return {
      group,
      topic: name,
      backlog: partitions.reduce((sum, one) => sum + one.backlog, 0),
      partitions,
      members: Array.from(members, ([id, member]): GroupMember => ({ id, ...member })),
    };
  };

  const peek: GroupAdmin['peek'] = async (name, group, { count = 10, partition } = {}) => {
    const what = `look at messages of group "${group}" of "${name}"`;
    checkCount(what, 'count', count);
    const found = await find(name, group, 'look at messages of');
    const all = await mapSome(chosen(what, found, partition), (part) =>
      peekPartition(context, name, part, group, count),
    );
    return all.flat();
  };

  const skip: GroupAdmin['skip'] = async (name, group, count, { partition } = {}) => {
    const what = `skip messages of group "${group}" of "${name}"`;
    checkCount(what, 'count', count);
    const found = await find(name, group, 'skip messages of');
    const skipped = await mapSome(chosen(what, found, partition), async ({ topic, stats }) => {
      const many = Math.min(count, stats?.msgBacklog ?? 0);
      // A second time would skip others.
      if (many > 0)
        await rest.request(what, 'POST', `${subscriptionPath(topic, group)}/skip/${many}`, { repeat: false });
      return many;
    });
    return skipped.reduce((sum, one) => sum + one, 0);
  };

  const reset = async (name: string, group: string, to: ResetPosition): Promise<void> => {
    const what = `move group "${group}" of "${name}"`;
    if (typeof to !== 'string' && 'time' in to) checkTime(what, to.time);
    if (typeof to !== 'string' && 'position' in to && !/^\d+:\d+(:\d+)?$/.test(to.position))
      throw refusal(what, `"${to.position}" is no position`);
    const found = await findSettled(name, group, 'move a group of');
    // Members keep what they hold and count on; without them nothing of before counts.
    if (!isAtWork(found)) await context.forgetAttempts(found.topic, group);
    if (typeof to !== 'string' && 'position' in to) {
      const { position, partition } = to;
      const part = await partOf(what, found, position, partition);
      await admin.seek(part.topic, group, position);
    } else
      await mapSome(found.parts, ({ topic }) =>
        typeof to === 'string' ? admin.seek(topic, group, to) : admin.seekTime(topic, group, to.time),
      );
  };

  /** The partition that a position is of: ledgers have their numbers across the cluster. */
  const partOf = async (what: string, found: Found, position: string, partition?: number): Promise<Part> => {
    const parts = chosen(what, found, partition);
    if (parts.length === 1) return parts[0] as Part;
    const ledger = position.split(':')[0];
    const holds = await mapSome(parts, async ({ topic }) => {
      const path = `${topic.path}/internalStats`;
      const stats = await rest.json<{ readonly ledgers: readonly { readonly ledgerId: number }[] }>(what, path);
      return stats?.ledgers.some(({ ledgerId }) => String(ledgerId) === ledger) ?? false;
    });
    const part = parts[holds.indexOf(true)];
    if (part === undefined) throw refusal(what, `position "${position}" is in none of its partitions any more`);
    return part;
  };

  const deleteGroup = async (group: string, topics: readonly string[]): Promise<void> => {
    const doing = 'delete a group of';
    const outcomes = await Promise.allSettled(topics.map((name) => findSettled(name, group, doing)));
    const found = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    for (const one of found)
      if (isAtWork(one))
        throw new BentoError(
          'GROUP_CONFLICT',
          `pulsar-adapter: cannot delete group "${group}" of "${one.topic.full}": members are at work. Close them first.`,
        );
    for (const one of outcomes)
      if (one.status === 'rejected' && ((one.reason as BentoError).code !== 'UNKNOWN_GROUP' || found.length === 0))
        throw one.reason;
    for (const { topic } of found) {
      await admin.deleteSubscription(topic, group);
      await context.forgetAttempts(topic, group);
    }
  };

  return { createGroup, listGroups, describeGroup, peek, skip, reset, deleteGroup };
}

const chosen = (what: string, { parts }: Found, partition: number | undefined): Found['parts'] => {
  const some = partition === undefined ? parts : parts.filter((part) => part.partition === partition);
  if (some.length > 0) return some;
  throw refusal(what, `there is no partition ${partition}`);
};

const isAtWork = ({ parts }: Pick<Found, 'parts'>): boolean =>
  parts.some(({ stats }) => (stats?.consumers.length ?? 0) > 0);

function checkTime(what: string, time: unknown): void {
  if (!Number.isFinite(time)) throw refusal(what, `time must be epoch milliseconds, not ${String(time)}`);
}

const refusal = (what: string, why: string): BentoError =>
  new BentoError('CONFIGURATION', `pulsar-adapter: cannot ${what}: ${why}. Correct it.`);

const unknownGroup = (doing: string, group: string, topic: TopicName): BentoError =>
  new BentoError(
    'UNKNOWN_GROUP',
    `pulsar-adapter: cannot ${doing} "${topic.full}": group "${group}" has no progress there. Make it by createGroup, or subscribe.`,
  );

/** All of them, a bounded number at once, in their order. */
async function mapSome<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += atOnce)
    results.push(...(await Promise.all(items.slice(from, from + atOnce).map(work))));
  return results;
}
