import {
  BentoError,
  type CheckpointedPublishing,
  type CheckpointReading,
  configurationError,
  type SubscribeOptions,
  type Subscription,
  type TopicListing,
  type Transport,
} from '@bento-bus/core';
import {
  closeAll,
  closeOnce,
  closeTogether,
  prepareSubscription,
  resolveSubscribeOptions,
  type SubscriptionHandler,
} from '@bento-bus/core/adapter';
import { capabilities } from './capabilities.ts';
import { readCheckpoint } from './checkpoint.ts';
import { Delays } from './delay/delays.ts';
import { createDriver } from './driver-choice.ts';
import { toBentoError } from './errors.ts';
import { checkLog, LogPublisher } from './log-publisher.ts';
import { Member } from './member.ts';
import { type KafkaTransportOptions, resolveOptions } from './options.ts';
import { BatchingPublisher } from './publisher.ts';
import { prefixOf, withPrefix } from './tenant.ts';
import { checkTopic, Topics } from './topics.ts';

/** A transport on Kafka, with the power to publish a log. */
export type KafkaTransport = Transport & CheckpointedPublishing & CheckpointReading & TopicListing;

/**
 * A transport on Apache Kafka, by kafkajs. Connects when it is used first.
 *
 * Publishing: idempotent, acknowledged by all replicas in sync, in order per key; calls for one topic that come together travel together. Consuming: each subscription
 * is a member of its group; handlers run side by side across keys and partitions; only committed records. A partition that goes to another
 * member is given up once its handlers have finished. Progress is committed every `commitIntervalMs` with what is done out of order, so
 * that a crash repeats what was at work, and what was acknowledged since. Logs: events and checkpoint in one transaction.
 *
 * Close refuses new subscriptions, drains the present ones (each up to its `drainMs`; they may still publish), then refuses everything.
 */
export function createKafkaTransport(options: KafkaTransportOptions): KafkaTransport {
  const resolved = resolveOptions(options);
  const driver = withPrefix(createDriver(resolved), prefixOf(resolved));
  const topics = new Topics(driver, resolved);
  const delays = new Delays({
    driver,
    topics,
    options: resolved,
    publish: (topic, records) => publisher.publishRecords(topic, records),
  });
  const beforeDelayed = (): Promise<void> => delays.use();
  const publisher = new BatchingPublisher(driver, resolved, topics, beforeDelayed);
  const members = new Set<Member>();
  const logs = new Set<LogPublisher>();
  const opening = new Set<Promise<unknown>>();
  let state: 'open' | 'draining' | 'closed' = 'open';

  /** Closing may begin while something is awaited. */
  const isOpen = (): boolean => state === 'open';

  const subscribe = async (
    asked: readonly string[],
    handler: SubscriptionHandler,
    given: SubscribeOptions,
  ): Promise<Subscription> => {
    const what = `subscribe group "${given.group}"`;
    if (state !== 'open') throw closedError(what);
    const subscription = resolveSubscribeOptions('kafka-adapter', asked, given);
    for (const topic of asked) checkTopic('subscribe to', topic);
    let member: Member | undefined;
    const prepared = prepareSubscription([...new Set(asked)], handler, subscription, {
      adapter: 'kafka-adapter',
      publisher: transport,
      lane: (delivery) => member?.lanes.stateOf(delivery) ?? { heldMs: 0, backlog: 0 },
      logger: resolved.logger,
    });
    member = new Member({ driver, topics, prepared, subscription, options: resolved });
    const joining = member;
    members.add(joining);
    const forget = (): boolean => members.delete(joining);
    joining.closed.then(forget, forget);
    try {
      await joining.start();
    } catch (error) {
      await joining.close();
      throw isOpen() ? error : closedError(what);
    }
    if (isOpen()) {
      delays.watch();
      return joining;
    }
    await joining.close();
    throw closedError(what);
  };

  const openLog = async (
    log: string,
    published: readonly string[],
    signal: AbortSignal | undefined,
    onStandby: (() => void) | undefined,
  ): Promise<LogPublisher> => {
    const onEnd = (ended: LogPublisher): boolean => logs.delete(ended);
    const opened = await LogPublisher.open({
      log,
      topics: [...new Set(published)],
      signal,
      onStandby,
      driver,
      known: topics,
      options: resolved,
      beforeDelayed,
      onEnd,
    });
    logs.add(opened);
    return opened;
  };

  const transport: KafkaTransport = {
    name: resolved.name,
    capabilities,
    async publish(topic, messages) {
      if (state === 'closed') throw closedError(`publish to "${topic}"`);
      checkTopic('publish to', topic);
      if (messages.length > 0) await publisher.publish(topic, messages);
    },
    topics: async () => {
      if (state !== 'open') throw closedError('list topics');
      return driver.topics().catch((error: unknown) => {
        throw toBentoError(error, 'list topics');
      });
    },
    subscribe: (asked, each, given) => subscribe(asked, { each }, given),
    subscribeBatch: (asked, batch, given) => subscribe(asked, { batch }, given),
    async openCheckpointed(log, { topics: published, signal, onStandby }) {
      if (state !== 'open') throw closedError(`open log "${log}"`);
      if (typeof log !== 'string' || log === '')
        throw configurationError('kafka-adapter: cannot open the log', ['log must be a name, not empty']);
      checkLog(log, published);
      const open = openLog(log, published, signal, onStandby);
      opening.add(open);
      try {
        return await open;
      } finally {
        opening.delete(open);
      }
    },
    async checkpointOf(log) {
      const what = `look at log "${log}"`;
      if (state === 'closed') throw closedError(what);
      checkLog(log, []);
      try {
        return (await readCheckpoint(driver, log, `kafka-adapter: cannot ${what}`))?.position;
      } catch (error) {
        const known = toBentoError(error, what);
        if (known.code === 'UNKNOWN_TOPIC') return undefined;
        throw known;
      }
    },
    // The last first.
    ...closeOnce(() =>
      closeAll([
        () => driver.close(),
        () => publisher.close(),
        async () => {
          state = 'closed';
          await Promise.allSettled(opening);
          await Promise.all(Array.from(logs, (log) => log.close()));
        },
        () => delays.close(),
        () => closeTogether(members),
        () => {
          state = 'draining';
        },
      ]),
    ),
  };
  return transport;
}

const closedError = (what: string): BentoError =>
  new BentoError('CLOSED', `kafka-adapter: cannot ${what}: the transport is closed. Make a new one.`);
