import type { TopicAdmin } from '@bento-bus/core';
import { checkName } from '../transport/stored-message.ts';
import type { Topic } from '../transport/topic.ts';
import { checkCount, checkPlain } from './checks.ts';
import { type AdminContext, checkIdle, positionOf, topicAt } from './context.ts';

/** Topics of one transport. */
export function createTopicAdmin(context: AdminContext): Omit<TopicAdmin, 'close' | typeof Symbol.asyncDispose> {
  const { inside, call } = context;
  return {
    createTopic(topic, { partitions = 1, config = {} } = {}) {
      const what = `create topic "${topic}"`;
      return call(what, () => {
        checkName('create', 'topic', topic);
        checkCount(what, 'partitions', partitions);
        if (inside.topics.has(topic)) return false;
        checkPlain(what, partitions, config);
        inside.topicOf(topic);
        return true;
      });
    },

    deleteTopic(topic) {
      const what = `delete topic "${topic}"`;
      return call(what, async () => {
        checkName('delete', 'topic', topic);
        const found = inside.topics.get(topic);
        if (found === undefined) return false;
        const groups = [...inside.groups.values()];
        for (const group of groups) {
          const cursor = group.find(topic);
          if (cursor !== undefined) checkIdle(what, { group, cursor });
        }
        // A publish that waits for room has it now: it came before.
        for (const group of groups) group.drop(topic);
        inside.topics.delete(topic);
        await Promise.all(Array.from(inside.logs.values(), (log) => log.forget(topic)));
        return true;
      });
    },

    listTopics: ({ prefix = '' } = {}) =>
      call('list topics', () => [...inside.topics.keys()].filter((topic) => topic.startsWith(prefix)).toSorted()),

    describeTopic(topic) {
      const what = `describe topic "${topic}"`;
      return call(what, () => {
        checkName('describe', 'topic', topic);
        const found = topicAt(context, what, topic);
        const messages = found.end - found.base;
        const ends = messages > 0 && {
          first: positionOf(found.at(found.base)),
          last: positionOf(found.at(found.end - 1)),
        };
        return { topic, partitions: [{ partition: 0, messages, bytes: bytesIn(found), ...ends }], config: {} };
      });
    },

    setPartitions(topic, partitions) {
      const what = `set the partitions of topic "${topic}"`;
      return call(what, () => {
        checkName('grow', 'topic', topic);
        checkCount(what, 'partitions', partitions);
        topicAt(context, what, topic);
        checkPlain(what, partitions, {});
      });
    },

    configureTopic(topic, config) {
      const what = `configure topic "${topic}"`;
      return call(what, () => {
        checkName('configure', 'topic', topic);
        topicAt(context, what, topic);
        checkPlain(what, 1, config);
      });
    },
  };
}

/** Of bodies. */
function bytesIn(topic: Topic): number {
  let bytes = 0;
  for (let offset = topic.base; offset < topic.end; offset += 1)
    bytes += topic.at(offset).message.body?.byteLength ?? 0;
  return bytes;
}
