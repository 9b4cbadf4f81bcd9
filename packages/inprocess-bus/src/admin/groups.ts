import type { GroupAdmin, PeekedMessage, ResetPosition } from '@bento-bus/core';
import type { Cursor } from '../transport/cursor.ts';
import { checkName } from '../transport/stored-message.ts';
import type { Topic } from '../transport/topic.ts';
import { checkCount, checkPartition, checkPosition, noSuchPosition, unknownGroup } from './checks.ts';
import { type AdminContext, checkIdle, type Place, placeAt, positionOf, topicAt } from './context.ts';

const checkNames = (topic: string, group: string): void => {
  checkName('use', 'topic', topic);
  checkName('use', 'group', group);
};

/** Keeps others from moving it meanwhile. A member that begins meanwhile finds it moved. */
async function alone<T>(what: string, place: Place, work: (cursor: Cursor) => Promise<T>): Promise<T> {
  checkIdle(what, place);
  place.cursor.busy += 1;
  try {
    return await work(place.cursor);
  } finally {
    place.cursor.busy -= 1;
  }
}

/** Groups of one transport. */
export function createGroupAdmin(context: AdminContext): Omit<GroupAdmin, 'close' | typeof Symbol.asyncDispose> {
  const { inside, call } = context;
  const logs = () => [...inside.logs.values()];

  return {
    createGroup(topic, group, at = 'latest') {
      const what = `create group "${group}" on topic "${topic}"`;
      return call(what, async () => {
        checkNames(topic, group);
        checkPosition(what, at);
        const found = topicAt(context, what, topic);
        const owner = inside.groupOf(group);
        if (owner.find(topic) !== undefined) return false;
        const cursor = owner.cursor(found, at);
        try {
          await alone(what, { group: owner, cursor }, () => Promise.all(logs().map((log) => log.join(cursor))));
        } catch (error) {
          // Unless a member has come meanwhile.
          if (cursor.busy === 0 && owner.membersOn(topic).length === 0) owner.drop(topic);
          throw error;
        }
        cursor.passOver();
        cursor.pinned = true;
        return true;
      });
    },

    listGroups(topic) {
      const what = `list the groups of topic "${topic}"`;
      return call(what, () => {
        checkName('list the groups of', 'topic', topic);
        return Array.from(topicAt(context, what, topic).cursors, (cursor) => cursor.group).toSorted();
      });
    },

    describeGroup(topic, group) {
      const what = `describe group "${group}" on topic "${topic}"`;
      return call(what, () => {
        checkNames(topic, group);
        const place = placeAt(context, what, topic, group);
        const left = leftOf(place);
        const [first] = left;
        const backlog = left.length;
        const members = place.group.membersOn(topic).map(({ id }) => ({ id, partitions: [0] }));
        const next = first && { next: first.position };
        return { group, topic, backlog, partitions: [{ partition: 0, backlog, ...next }], members };
      });
    },

    peek(topic, group, { count = 10, partition } = {}) {
      const what = `peek at group "${group}" on topic "${topic}"`;
      return call(what, () => {
        checkNames(topic, group);
        checkCount(what, 'count', count);
        const place = placeAt(context, what, topic, group);
        checkPartition(what, partition);
        return leftOf(place).slice(0, count);
      });
    },

    skip(topic, group, count, { partition } = {}) {
      const what = `skip messages of group "${group}" on topic "${topic}"`;
      return call(what, () => {
        checkNames(topic, group);
        checkCount(what, 'count', count);
        const place = placeAt(context, what, topic, group);
        checkPartition(what, partition);
        return alone(what, place, (cursor) => cursor.skip(count));
      });
    },

    reset(topic, group, to) {
      const what = `reset group "${group}" on topic "${topic}"`;
      return call(what, () => {
        checkNames(topic, group);
        checkPosition(what, to);
        const place = placeAt(context, what, topic, group);
        if (typeof to !== 'string' && 'position' in to) checkPartition(what, to.partition);
        return alone(what, place, async (cursor) => {
          const offset = offsetOf(what, cursor.topic, to);
          cursor.moveTo(offset);
          await Promise.all(logs().map((log) => log.move(cursor, offset)));
        });
      });
    },

    deleteGroup(group, topics) {
      const what = `delete group "${group}"`;
      return call(what, async () => {
        for (const topic of topics) {
          checkNames(topic, group);
          topicAt(context, what, topic);
        }
        const owner = inside.groups.get(group);
        const cursors = topics.map((topic) => owner?.find(topic)).filter((cursor) => cursor !== undefined);
        if (owner === undefined || cursors.length === 0) throw unknownGroup(what, group, topics.join('", "'));
        for (const cursor of cursors) checkIdle(what, { group: owner, cursor });
        for (const cursor of cursors) owner.drop(cursor.topic.name);
        // All at once: who subscribes from now on comes behind it in each log.
        await Promise.all(cursors.flatMap((cursor) => logs().map((log) => log.move(cursor, undefined))));
      });
    },
  };
}

/** What the group has not acknowledged, also what members have in hand, in the order of the topic. */
function leftOf({ group, cursor }: Place): readonly PeekedMessage[] {
  const inHand = group
    .membersOn(cursor.topic.name)
    .flatMap((member) => Array.from(member.taken()))
    .filter((taken) => taken.cursor === cursor)
    .map(({ entry }) => entry);
  return [...inHand, ...cursor.left()]
    .toSorted((a, b) => a.offset - b.offset)
    .map((entry) => ({ partition: 0, position: positionOf(entry), message: entry.message }));
}

/** Where in the topic that is. Of a log, the time that counts is the message's own: all of it may have been published again since. */
function offsetOf(what: string, topic: Topic, to: ResetPosition): number {
  if (to === 'earliest') return topic.base;
  if (to === 'latest') return topic.end;
  for (let offset = topic.base; offset < topic.end; offset += 1) {
    const entry = topic.at(offset);
    const { held, message, time } = entry;
    if ('time' in to ? (held === undefined ? time : message.time) >= to.time : positionOf(entry) === to.position)
      return offset;
  }
  if ('time' in to || to.position === String(topic.end)) return topic.end;
  throw noSuchPosition(what, to.position);
}
