import { BentoError, type NewTopic, type PartitionDescription, type TopicAdmin } from '@bento-bus/core';
import { type Names, partitionTopic, type TopicName } from '../names.ts';
import type { AdminContext } from './context.ts';
import { checkSettings, type Settings } from './policies.ts';
import type { Rest } from './rest.ts';

interface InternalStats {
  readonly numberOfEntries: number;
  readonly totalSize: number;
  readonly currentLedgerEntries: number;
  readonly lastConfirmedEntry: string;
  readonly ledgers: readonly { readonly ledgerId: number; readonly entries: number }[];
}

/** Topics of the namespace. */
export function topicAdmin(
  context: AdminContext,
  settings: Settings,
): Omit<TopicAdmin, keyof AsyncDisposable | 'close'> {
  const { rest, admin, names } = context;

  const createTopic = async (name: string, given: NewTopic = {}): Promise<boolean> => {
    const topic = names.topic(name, 'make');
    const what = `make topic "${topic.full}"`;
    const { partitions = context.partitions, config = {} } = given;
    if (given.partitions !== undefined) checkCount(what, 'partitions', given.partitions);
    checkSettings(what, config);
    if (!(await admin.createTopic(topic, partitions))) return false;
    await settings.change(topic, config);
    return true;
  };

  const deleteTopic = async (name: string): Promise<boolean> => {
    const topic = names.topic(name, 'delete');
    const partitions = await admin.partitions(topic);
    if (partitions === undefined) return false;
    const groups = await context.groups(topic);
    const path = `${topic.path}${partitions === 0 ? '' : '/partitions'}?force=true`;
    const { status } = await rest.request(`delete topic "${topic.full}"`, 'DELETE', path, { fine: [404] });
    await Promise.all(groups.map((group) => context.forgetAttempts(topic, group)));
    return status !== 404;
  };

  const listTopics: TopicAdmin['listTopics'] = (options) => topicsOf(rest, names, options);

  const describeTopic: TopicAdmin['describeTopic'] = async (name) => {
    const topic = names.topic(name, 'describe');
    const count = await context.partitionsOf(topic, 'describe');
    const what = `describe topic "${topic.full}"`;
    const [config, partitions] = await Promise.all([settings.of(topic), describePartitions(what, topic, count)]);
    return { topic: name, partitions, config };
  };

  const describePartitions = async (
    what: string,
    topic: TopicName,
    count: number,
  ): Promise<readonly PartitionDescription[]> => {
    if (count === 0) {
      const stats = await rest.json<InternalStats>(what, `${topic.path}/internalStats`);
      return [partitionOf(0, stats)];
    }
    const all = await rest.json<{ readonly partitions: Readonly<Record<string, InternalStats>> }>(
      what,
      `${topic.path}/partitioned-internalStats`,
    );
    return Array.from({ length: count }, (_, at) => partitionOf(at, all?.partitions[partitionTopic(topic, at).full]));
  };

  const setPartitions = async (name: string, partitions: number): Promise<void> => {
    const topic = names.topic(name, 'grow');
    const what = `grow topic "${topic.full}"`;
    checkCount(what, 'partitions', partitions);
    const present = await context.partitionsOf(topic, 'grow');
    // The broker says the same of one that has as many as of one that is not there.
    if (present === partitions) return;
    if (present === 0 || present > partitions)
      throw new BentoError(
        'CONFIGURATION',
        `pulsar-adapter: cannot ${what}: it ${present === 0 ? 'is not partitioned' : `has ${present} partitions`}, asked for are ${partitions}. Make another topic.`,
      );
    await rest.request(what, 'POST', `${topic.path}/partitions`, { body: String(partitions) });
  };

  const configureTopic: TopicAdmin['configureTopic'] = async (name, config) => {
    const topic = names.topic(name, 'configure');
    checkSettings(`configure topic "${topic.full}"`, config);
    await context.partitionsOf(topic, 'configure');
    await settings.change(topic, config);
  };

  return { createTopic, deleteTopic, listTopics, describeTopic, setPartitions, configureTopic };
}

/** Names of the topics of a namespace, see `TopicAdmin.listTopics`. */
export async function topicsOf(
  rest: Rest,
  names: Names,
  { prefix = '', internal = false }: { readonly prefix?: string; readonly internal?: boolean } = {},
): Promise<readonly string[]> {
  const what = `list the topics of "${names.namespace}"`;
  const path = `persistent/${names.namespacePath}`;
  const [single, partitioned] = await Promise.all([
    rest.json<readonly string[]>(what, `${path}?includeSystemTopic=true`),
    rest.json<readonly string[]>(what, `${path}/partitioned?includeSystemTopic=true`),
  ]);
  const whole = new Set(partitioned?.map(localName));
  const all = new Set([...whole, ...(single ?? []).map(localName)]);
  const isPartition = (name: string): boolean => {
    const parent = /^(.*)-partition-\d+$/.exec(name)?.[1];
    return parent !== undefined && (whole.has(parent) || isOwn(parent));
  };
  return [...all]
    .filter((name) => name.startsWith(prefix) && (internal || !(isOwn(name) || isPartition(name))))
    .toSorted();
}

/** Made by the toolkit or the broker. */
const isOwn = (name: string): boolean => name.startsWith('__') || /-(ATTEMPTS|CHECKPOINT)$/.test(name);
const localName = (full: string): string => full.slice(full.lastIndexOf('/') + 1);

function partitionOf(partition: number, stats: InternalStats | undefined): PartitionDescription {
  // A partition that was never used is nowhere.
  if (stats === undefined) return { partition, messages: 0 };
  const { numberOfEntries: messages, totalSize: bytes, ledgers, lastConfirmedEntry, currentLedgerEntries } = stats;
  // The ledger at work says 0 until it is full.
  const filled = ledgers
    .map(({ ledgerId, entries }, at) => ({
      ledgerId,
      entries: at === ledgers.length - 1 ? Math.max(entries, currentLedgerEntries) : entries,
    }))
    .filter(({ entries }) => entries > 0);
  const [first, last] = [filled[0], filled.at(-1)];
  if (messages === 0 || first === undefined || last === undefined) return { partition, messages, bytes };
  const end = `${last.ledgerId}:${last.entries - 1}`;
  const isLast = lastConfirmedEntry.startsWith(`${last.ledgerId}:`);
  return { partition, messages, bytes, first: `${first.ledgerId}:0`, last: isLast ? lastConfirmedEntry : end };
}

/** Throws a `CONFIGURATION` error unless it is a whole number from 1. */
export function checkCount(what: string, field: string, value: unknown): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1) return;
  throw new BentoError(
    'CONFIGURATION',
    `pulsar-adapter: cannot ${what}: ${field} must be a whole number from 1, not ${String(value)}. Correct it.`,
  );
}
