import { configurationError, type PartitionDescription, type TopicAdmin } from '@bento-bus/core';
import { isOf } from '../errors.ts';
import { checkTopic } from '../topics.ts';
import { positionOf } from '../tracker.ts';
import { type AdminContext, checkCount, placeOf } from './context.ts';
import { alterTopicConfig } from './requests.ts';

const topicResource = 2;
/** Set for this topic. Source: https://kafka.apache.org/protocol, "DescribeConfigs", config_source. */
const ofTopic = 1;

/** What the brokers and this package make for themselves. */
const own = /^__|^bento-delay-|-CHECKPOINT$/;

/** Topics of a Kafka cluster. */
export function createTopicAdmin(context: AdminContext): Omit<TopicAdmin, 'close' | typeof Symbol.asyncDispose> {
  const { connection, prefix, call } = context;

  return {
    async createTopic(topic, options = {}) {
      const what = `create topic "${topic}"`;
      checkTopic('create', topic);
      const { partitions = context.partitions, replicationFactor = context.replicationFactor, config = {} } = options;
      if (partitions !== undefined) checkCount(what, 'partitions', partitions);
      const made = await call(what, async () => {
        if ((await connection.find(prefix + topic)) !== undefined) return false;
        try {
          await (await connection.controller()).createTopics({
            topics: [
              {
                topic: prefix + topic,
                numPartitions: partitions ?? -1,
                replicationFactor: replicationFactor ?? -1,
                configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
              },
            ],
          });
          return true;
        } catch (error) {
          if (isOf(error, 'TOPIC_ALREADY_EXISTS')) return false;
          throw error;
        }
      });
      await call(what, () =>
        connection.everywhere(
          prefix + topic,
          (place) => place !== undefined && place.leaders.length > 0 && place.leaders.every((leader) => leader >= 0),
        ),
      );
      return made;
    },

    async deleteTopic(topic) {
      const what = `delete topic "${topic}"`;
      checkTopic('delete', topic);
      const deleted = await call(what, async () => {
        if ((await connection.find(prefix + topic)) === undefined) return false;
        try {
          await (await connection.controller()).deleteTopics({ topics: [prefix + topic] });
          return true;
        } catch (error) {
          if (isOf(error, 'UNKNOWN_TOPIC_OR_PARTITION')) return false;
          throw error;
        }
      });
      await call(what, () => connection.everywhere(prefix + topic, (place) => place === undefined));
      return deleted;
    },

    listTopics: ({ prefix: begin = '', internal = false } = {}) =>
      call('list topics', async () =>
        (await connection.topics())
          .filter(({ topic, isInternal }) => topic.startsWith(prefix) && (internal || !isInternal))
          .map(({ topic }) => topic.slice(prefix.length))
          .filter((topic) => topic.startsWith(begin) && (internal || !own.test(topic)))
          .toSorted(),
      ),

    async describeTopic(topic) {
      const what = `describe topic "${topic}"`;
      checkTopic('describe', topic);
      return call(what, async () => {
        const place = await placeOf(context, what, topic);
        const [first, end, config] = await Promise.all([
          connection.offsets(place, 'earliest'),
          connection.offsets(place, 'latest'),
          configOf(context, topic),
        ]);
        const partitions = [...place.leaders.keys()].map((partition): PartitionDescription => {
          const [from, to] = [first[partition] ?? 0, end[partition] ?? 0];
          if (to <= from) return { partition, messages: 0 };
          const last = positionOf(partition, `${to - 1}`);
          return { partition, messages: to - from, first: positionOf(partition, `${from}`), last };
        });
        return { topic, partitions, config };
      });
    },

    async setPartitions(topic, partitions) {
      const what = `set the partitions of topic "${topic}"`;
      checkTopic('grow', topic);
      checkCount(what, 'partitions', partitions);
      await call(what, async () => {
        const { leaders } = await placeOf(context, what, topic);
        if (leaders.length > partitions)
          throw configurationError(`kafka-adapter: cannot ${what}`, [
            `partitions must not be fewer than there are, ${leaders.length}, not ${partitions}`,
          ]);
        if (leaders.length === partitions) return;
        await (await connection.controller()).createPartitions({
          topicPartitions: [{ topic: prefix + topic, count: partitions }],
        });
      });
      await call(what, () =>
        connection.everywhere(
          prefix + topic,
          (place) => place?.leaders.length === partitions && place.leaders.every((leader) => leader >= 0),
        ),
      );
    },

    async configureTopic(topic, config) {
      const what = `configure topic "${topic}"`;
      checkTopic('configure', topic);
      await call(what, async () => {
        await placeOf(context, what, topic);
        if (Object.keys(config).length > 0)
          await alterTopicConfig(await connection.controller(), prefix + topic, config);
      });
    },
  };
}

/** What was set for this topic. */
async function configOf({ connection, prefix }: AdminContext, topic: string): Promise<Record<string, string>> {
  const resources = [{ type: topicResource, name: prefix + topic, configNames: [] }];
  const { resources: found } = await (await connection.any()).describeConfigs({ resources });
  const entries = (found[0]?.configEntries ?? []).filter(({ configSource }) => configSource === ofTopic);
  return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue ?? '']));
}
