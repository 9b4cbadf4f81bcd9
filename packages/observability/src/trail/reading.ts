import { randomUUID } from 'node:crypto';
import {
  type Delivery,
  isBentoError,
  type Logger,
  type Message,
  type MessagingAdmin,
  type Transport,
} from '@bento-bus/core';
import { deferred } from '@bento-bus/core/adapter';
import { TopicEnd } from './topic-end.ts';

/** What topics are read with. */
export interface ReadingParts {
  readonly admin: Pick<MessagingAdmin, 'describeTopic' | 'listGroups' | 'peek' | 'deleteGroup'>;
  readonly transport: Transport;
  /** Epoch milliseconds; undefined: all that is there. */
  readonly since: number | undefined;
  /** Milliseconds. */
  readonly idleMs: number;
  readonly signal: AbortSignal | undefined;
  readonly logger: Logger;
}

/** Gets each message; false: that is enough. */
export type Look = (topic: string, message: Message, position: string) => boolean;

/** Topics read by one subscription. */
const together = 16;
/** Messages in hand at once. */
const window = 64;
/** Of what waits in one retry topic. */
const mostWaiting = 100;

/**
 * Shows all messages that stand on the topics when it is called, each topic's in its own order or nearly so, through groups that are
 * deleted afterwards. A topic has come to its end when the last message of each partition was seen, or none of its own has come for
 * `idleMs`; what is published meanwhile is passed over.
 * Resolves with false when `look` had enough, or the signal aborted.
 */
export async function readTopics(parts: ReadingParts, topics: readonly string[], look: Look): Promise<boolean> {
  for (let at = 0; at < topics.length; at += together)
    if (!(await readSome(parts, topics.slice(at, at + together), look))) return false;
  return true;
}

async function readSome(parts: ReadingParts, topics: readonly string[], look: Look): Promise<boolean> {
  const { admin, idleMs, logger, signal, since, transport } = parts;
  const ended = deferred();
  const ends = new Map<string, TopicEnd>();
  const stopIfThrough = (): void => {
    if (Array.from(ends.values()).every((one) => one.isThrough)) ended.resolve();
  };
  const state = { isEnough: false };
  for (const topic of topics) {
    if (signal?.aborted) return false;
    const partitions = await partitionsOf(admin, topic);
    if (partitions.every(({ last }) => last === undefined)) continue;
    // What waits for its time in a retry topic is not delivered before it.
    const later = topic.endsWith('-RETRY') ? await waiting(admin, topic) : [];
    for (const { message, position } of later) if (!look(topic, message, position)) return false;
    ends.set(topic, new TopicEnd(partitions, later, idleMs, stopIfThrough));
  }
  const there = [...ends].flatMap(([topic, { isThrough }]) => (isThrough ? [] : [topic]));
  if (there.length === 0) return true;

  const take = async ({ topic, message, position }: Delivery): Promise<void> => {
    if (state.isEnough || signal?.aborted || ends.get(topic)?.came(position) !== true) return;
    state.isEnough = !look(topic, message, position);
    if (state.isEnough) ended.resolve();
  };
  const stop = (): void => ended.resolve();
  signal?.addEventListener('abort', stop, { once: true });
  const group = `bento-trace-${randomUUID()}`;
  const from = since !== undefined && transport.capabilities.startPositions.includes('time');
  try {
    const subscription = await transport.subscribe(there, take, {
      group,
      startPosition: from ? { time: since } : 'earliest',
      ordering: 'none',
      concurrency: window,
      drainMs: 1_000,
      // They have no id to be found by.
      unreadable: take,
    });
    try {
      subscription.closed.catch(ended.reject);
      for (const one of ends.values()) one.start();
      await ended.promise;
    } finally {
      await subscription.close();
    }
  } finally {
    for (const one of ends.values()) one.stop();
    signal?.removeEventListener('abort', stop);
    await forget(admin, group, there, logger);
  }
  return !(state.isEnough || signal?.aborted === true);
}

/** None where the topic is not there. */
async function partitionsOf(
  admin: ReadingParts['admin'],
  topic: string,
): Promise<Awaited<ReturnType<MessagingAdmin['describeTopic']>>['partitions']> {
  try {
    return (await admin.describeTopic(topic)).partitions;
  } catch (error) {
    if (isBentoError(error, 'UNKNOWN_TOPIC')) return [];
    throw error;
  }
}

async function waiting(admin: ReadingParts['admin'], topic: string): ReturnType<MessagingAdmin['peek']> {
  const groups = await admin.listGroups(topic);
  const found = await Promise.all(
    groups.map(async (group) => {
      try {
        return await admin.peek(topic, group, { count: mostWaiting });
      } catch (error) {
        // It has gone meanwhile, or has no progress here.
        if (isBentoError(error, 'UNKNOWN_GROUP') || isBentoError(error, 'UNKNOWN_TOPIC')) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}

async function forget(
  admin: ReadingParts['admin'],
  group: string,
  topics: readonly string[],
  logger: Logger,
): Promise<void> {
  try {
    await admin.deleteGroup(group, topics);
  } catch (error) {
    if (isBentoError(error, 'UNKNOWN_GROUP') || isBentoError(error, 'UNKNOWN_TOPIC')) return;
    logger.warn('observability: a group for reading could not be deleted. Delete it', { group, topics, error });
  }
}
