import type { CommittedOffset, Driver, DriverConsumer, FetchedBatch, Membership, TopicPartition } from './driver.ts';

/** What topics, groups and transactional ids of a tenant begin with; `''` without one. */
export const prefixOf = ({
  tenant,
  namespace,
}: {
  readonly tenant: string | undefined;
  readonly namespace: string | undefined;
}): string => (tenant === undefined || namespace === undefined ? '' : `${tenant}.${namespace}.`);

/** The driver as a tenant sees it: each name of a topic, group or transactional id has the prefix at the broker, and none here. */
export function withPrefix(driver: Driver, prefix: string): Driver {
  if (prefix === '') return driver;
  const out = (name: string): string => prefix + name;
  const outer = <T extends TopicPartition>(place: T): T => ({ ...place, topic: out(place.topic) });
  const inner = <T extends TopicPartition>(place: T): T => ({ ...place, topic: place.topic.slice(prefix.length) });
  const committed =
    (ask: (places: readonly TopicPartition[]) => Promise<readonly CommittedOffset[]>) =>
    async (places: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> =>
      (await ask(places.map(outer))).map(inner);

  const membership = (given: Membership): Membership => ({
    committed: committed((places) => given.committed(places)),
    commit: (offsets) => given.commit(offsets.map(outer)),
    heartbeat: () => given.heartbeat(),
    pause: (place) => given.pause(outer(place)),
    resume: (place) => given.resume(outer(place)),
    seek: (place, offset) => given.seek(outer(place), offset),
  });
  const batch = (given: FetchedBatch): FetchedBatch => ({
    ...inner(given),
    accept: () => given.accept(),
  });

  return {
    async producer() {
      const producer = await driver.producer();
      return {
        send: (topic, records, timeoutMs) => producer.send(out(topic), records, timeoutMs),
        close: () => producer.close(),
      };
    },
    async transactional(id) {
      const producer = await driver.transactional(out(id));
      return {
        transact: (parts, timeoutMs) =>
          producer.transact(
            parts.map((part) => new Map(Array.from(part, ([topic, records]) => [out(topic), records]))),
            timeoutMs,
          ),
        close: () => producer.close(),
      };
    },
    consume: ({ group, topics, ...options }, events): Promise<DriverConsumer> =>
      driver.consume(
        { ...options, group: out(group), topics: topics.map(out) },
        {
          connected: (lookup) =>
            events.connected({
              partitions: (topic) => lookup.partitions(out(topic)),
              offsets: (topic, at) => lookup.offsets(out(topic), at),
              committed: committed((places) => lookup.committed(places)),
            }),
          beforeJoin: () => events.beforeJoin(),
          assigned: async (partitions, given) =>
            (await events.assigned(partitions.map(inner), membership(given))).map(outer),
          batch: (given, heartbeat) => events.batch(batch(given), heartbeat),
          crashed: (error) => events.crashed(error),
        },
      ),
    exists: (topic) => driver.exists(out(topic)),
    create: (topic) => driver.create({ ...topic, topic: out(topic.topic) }),
    lastRecord: (topic) => driver.lastRecord(out(topic)),
    trim: (topic, offsets) => driver.trim(out(topic), offsets),
    topics: async () =>
      (await driver.topics()).filter((topic) => topic.startsWith(prefix)).map((topic) => topic.slice(prefix.length)),
    close: () => driver.close(),
  };
}
