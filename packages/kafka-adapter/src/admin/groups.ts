import { configurationError, type GroupAdmin, type PartitionBacklog, type PeekedMessage } from '@bento-bus/core';
import { readRecord } from '@bento-bus/core/adapter';
import { isStaleMember } from '../errors.ts';
import { committedRecords } from '../kafkajs/reader.ts';
import { checkTopic } from '../topics.ts';
import { positionOf } from '../tracker.ts';
import type { TopicPlace } from './connection.ts';
import { type AdminContext, checkCount, placeOf } from './context.ts';
import { checkGroup, conflict, unknownGroup } from './group-checks.ts';
import { exists, type Found, findGroup, membersOn, progressOn } from './group-state.ts';
import { limited } from './limited.ts';
import { type NewOffset, offsetsAt } from './positions.ts';
import { countLeft, firstLeft, isDone, movedTo } from './progress.ts';
import { deleteOffsets } from './requests.ts';

/** Groups asked for their progress at once, and partitions read at once. */
const atOnce = 32;

/** So few offsets may be markers of transactions, which no member ever gets: they are looked at. */
const few = 10;

/** A commit of no member: the broker takes it only while the group has none. */
const nobody = { groupGenerationId: -1, memberId: '' };

/** Groups of a Kafka cluster. */
export function createGroupAdmin(context: AdminContext): Omit<GroupAdmin, 'close' | typeof Symbol.asyncDispose> {
  const { connection, prefix, call, format } = context;

  /** `UNKNOWN_GROUP` where it has nothing to do with the topic. */
  const need = async (what: string, topic: string, group: string): Promise<Found> => {
    const found = await findGroup(context, what, topic, group);
    if (exists(found)) return found;
    throw unknownGroup(what, group, topic);
  };

  const commit = async (group: string, { place, coordinator }: Found, offsets: readonly NewOffset[]): Promise<void> => {
    const topics = [{ topic: place.topic, partitions: offsets }];
    try {
      await coordinator.offsetCommit({ groupId: prefix + group, ...nobody, topics });
    } catch (error) {
      throw isStaleMember(error) ? conflict(`move group "${group}"`, group, error) : error;
    }
  };

  /** What is not acknowledged yet, by partition. */
  const ahead = async (what: string, found: Found, partition: number | undefined) => {
    const { place, progress } = found;
    if (partition !== undefined && place.leaders[partition] === undefined)
      throw configurationError(`kafka-adapter: cannot ${what}`, [
        `partition must be one of the topic's, 0 to ${place.leaders.length - 1}, not ${partition}`,
      ]);
    const [low, end] = await Promise.all([connection.offsets(place, 'earliest'), connection.offsets(place, 'latest')]);
    return progress
      .filter((one) => partition === undefined || one.partition === partition)
      .map((one) => {
        const to = end[one.partition] ?? 0;
        const from = firstLeft(one, Math.max(one.offset, low[one.partition] ?? 0));
        return { progress: one, partition: one.partition, from, end: to, left: countLeft(one, from, to) };
      });
  };

  /** The next messages of a partition that are not acknowledged, at most `count`. */
  async function* next(place: TopicPlace, one: Awaited<ReturnType<typeof ahead>>[number], count: number) {
    if (one.from >= one.end) return;
    const broker = await connection.node(place.leaders[one.partition] as number);
    let left = count;
    for await (const record of committedRecords(broker, { topic: place.topic, ...one })) {
      if (isDone(one.progress, Number(record.offset))) continue;
      yield record;
      left -= 1;
      if (left === 0) return;
    }
  }

  return {
    async createGroup(topic, group, at = 'latest') {
      const what = `create group "${group}" on topic "${topic}"`;
      checkGroup(what, topic, group, at);
      return call(what, async () => {
        const found = await findGroup(context, what, topic, group);
        if (exists(found)) return false;
        await commit(group, found, await offsetsAt(context, what, found.place, at));
        return true;
      });
    },

    async listGroups(topic) {
      const what = `list the groups of topic "${topic}"`;
      checkTopic('list the groups of', topic);
      return call(what, async () => {
        const place = await placeOf(context, what, topic);
        const groups = (await connection.groups()).filter(({ group }) => group.startsWith(prefix));
        const progress = await limited(atOnce, groups, async ({ group, broker }) => {
          const found = await progressOn(broker, group, place);
          return found.some(({ offset }) => offset >= 0);
        });
        const names = new Set(groups.filter((_, index) => progress[index]).map(({ group }) => group));
        const others = groups.filter(({ group }) => !names.has(group));
        for (const broker of new Set(others.map((one) => one.broker))) {
          const asked = others.filter((one) => one.broker === broker).map(({ group }) => group);
          for (const known of await connection.known(broker, asked))
            if (membersOn(known, place.topic).length > 0) names.add(known.group);
        }
        return [...names].map((group) => group.slice(prefix.length)).toSorted();
      });
    },

    async describeGroup(topic, group) {
      const what = `describe group "${group}" on topic "${topic}"`;
      checkGroup(what, topic, group);
      return call(what, async () => {
        const found = await need(what, topic, group);
        const partitions = await limited(atOnce, await ahead(what, found, undefined), async (one) => {
          const { progress, partition, from } = one;
          const left = one.left > few ? one.left : await countOf(next(found.place, one, few));
          const backlog: PartitionBacklog = { partition, backlog: left };
          return left > 0 && progress.offset >= 0 ? { ...backlog, next: positionOf(partition, `${from}`) } : backlog;
        });
        const backlog = partitions.reduce((sum, one) => sum + one.backlog, 0);
        return { group, topic, backlog, partitions, members: found.members };
      });
    },

    async peek(topic, group, { count = 10, partition } = {}) {
      const what = `peek at group "${group}" on topic "${topic}"`;
      checkGroup(what, topic, group);
      checkCount(what, 'count', count);
      return call(what, async () => {
        const found = await need(what, topic, group);
        const peeked = await limited(atOnce, await ahead(what, found, partition), async (one) => {
          const messages: PeekedMessage[] = [];
          for await (const { key, headers, value, offset, timestamp } of next(found.place, one, count)) {
            const position = positionOf(one.partition, offset);
            const message = readRecord(format, {
              topic,
              key,
              headers: headers ?? {},
              body: value,
              timestamp: Number(timestamp),
              position,
            });
            messages.push({ partition: one.partition, position, message });
          }
          return messages;
        });
        return peeked.flat();
      });
    },

    async skip(topic, group, count, { partition } = {}) {
      const what = `skip messages of group "${group}" on topic "${topic}"`;
      checkGroup(what, topic, group);
      checkCount(what, 'count', count);
      return call(what, async () => {
        const found = await need(what, topic, group);
        if (found.members.length > 0) throw conflict(what, group);
        const skipped = await limited(atOnce, await ahead(what, found, partition), async (one) => {
          let messages = 0;
          let offset = one.from;
          for await (const record of next(found.place, one, count)) {
            messages += 1;
            offset = Number(record.offset) + 1;
          }
          // Nothing else is there: the markers of transactions at the end are passed too.
          if (messages < count) offset = one.end;
          return { messages, moved: { partition: one.partition, ...movedTo(one.progress, offset) } };
        });
        const moved = skipped.filter(({ messages }) => messages > 0);
        if (moved.length > 0)
          await commit(
            group,
            found,
            moved.map((one) => one.moved),
          );
        return moved.reduce((sum, { messages }) => sum + messages, 0);
      });
    },

    async reset(topic, group, to) {
      const what = `reset group "${group}" on topic "${topic}"`;
      checkGroup(what, topic, group, to);
      await call(what, async () => {
        const found = await need(what, topic, group);
        await commit(group, found, await offsetsAt(context, what, found.place, to));
      });
    },

    async deleteGroup(group, topics) {
      const what = `delete group "${group}"`;
      for (const topic of topics) checkGroup(what, topic, group);
      await call(what, async () => {
        const all: Found[] = [];
        for (const topic of topics) all.push(await findGroup(context, what, topic, group));
        const found = all.filter(exists);
        if (found.length === 0) throw unknownGroup(what, group, topics.join('", "'));
        if (found.some(({ members }) => members.length > 0)) throw conflict(what, group);
        for (const { coordinator, place } of found)
          await deleteOffsets(coordinator, prefix + group, place.topic, [...place.leaders.keys()]);
      });
    },
  };
}

async function countOf(all: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of all) count += 1;
  return count;
}
