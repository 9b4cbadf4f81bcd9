import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import {
  BentoError,
  type CheckpointedPublisher,
  type CheckpointedPublishing,
  type CheckpointReading,
  type SubscribeOptions,
  type Subscription,
  type TopicListing,
  type Transport,
} from '@bento-bus/core';
import {
  closeAll,
  closeOnce,
  closeTogether,
  type PreparedSubscription,
  prepareSubscription,
  type ResolvedSubscribeOptions,
  resolveSubscribeOptions,
  type SubscriptionHandler,
} from '@bento-bus/core/adapter';
import { Rest } from './admin/rest.ts';
import { topicsOf } from './admin/topics.ts';
import { Admin } from './admin.ts';
import { capabilitiesOf } from './capabilities.ts';
import { checkpointTopic, readCheckpoint } from './checkpoint/lease.ts';
import { LogPublisher } from './checkpoint/log-publisher.ts';
import { Member, type Reading } from './consume/member.ts';
import { createDriver } from './create-driver.ts';
import type { Driver } from './driver.ts';
import { checkName, Names } from './names.ts';
import { type PulsarTransportOptions, resolveOptions } from './options.ts';
import { Encoder } from './publish/encode.ts';
import { Publisher } from './publish/publisher.ts';
import { Topics } from './topics.ts';

/** Pulsar as a transport, with the power to publish a log. */
export interface PulsarTransport extends Transport, CheckpointedPublishing, CheckpointReading, TopicListing {
  /** Which driver is at work; loads it when nothing has yet. */
  driver(): Promise<'websocket' | 'native'>;
}

/** What works once the driver is there. */
interface Parts {
  readonly driver: Driver;
  readonly publisher: Publisher;
  readonly encoder: Encoder;
}

/**
 * A transport on Apache Pulsar. Nothing is connected before it is used. Topics are those of `tenant/namespace`; missing ones are made.
 * Publishing and reading survive restarts of the broker: connections are opened again with backoff, what was not confirmed is sent again,
 * what was not acknowledged comes again. Throws one `CONFIGURATION` error that names every fault of the options.
 *
 * Close refuses new subscriptions, drains the present ones (each up to its `drainMs`; they may still publish), then refuses everything.
 */
export function createPulsarTransport(options: PulsarTransportOptions = {}): PulsarTransport {
  const resolved = resolveOptions(options);
  const { name, logger, subscriptionType, requestTimeoutMs } = resolved;
  const rest = new Rest({ url: resolved.webUrl, security: resolved.security, timeoutMs: requestTimeoutMs });
  const admin = new Admin(rest);
  const names = new Names(resolved.tenant, resolved.namespace);
  const topics = new Topics(admin, resolved.createTopics, resolved.partitions);
  const members = new Set<Member>();
  const logs = new Set<CheckpointedPublisher>();
  const underway = new Set<Promise<unknown>>();
  const ending = new AbortController();
  let state: 'open' | 'draining' | 'closed' = 'open';
  let loading: Promise<Parts> | undefined;

  const load = (): Promise<Parts> => (loading ??= createDriver(resolved, admin).then((driver) => partsOf(driver)));

  const partsOf = (driver: Driver): Parts => {
    const encoder = new Encoder(driver, resolved.format, resolved.maxMessageBytes);
    const publisher = new Publisher({
      driver,
      names,
      topics,
      encoder,
      window: resolved.maxInFlight,
      batching: resolved.batching,
      backoff: resolved.backoff,
      maxProducers: resolved.maxProducers,
      publishTimeoutMs: resolved.publishTimeoutMs,
      closeMs: requestTimeoutMs,
    });
    return { driver, publisher, encoder };
  };

  /** Until it has settled, close waits for it. */
  const tracked = async <T>(work: Promise<T>): Promise<T> => {
    underway.add(work);
    try {
      return await work;
    } finally {
      underway.delete(work);
    }
  };

  const subscribe = async (
    asked: readonly string[],
    handler: SubscriptionHandler,
    given: SubscribeOptions,
  ): Promise<Subscription> => {
    const what = `subscribe group "${given.group}"`;
    if (state !== 'open') throw closedError(what);
    const subscribing = resolveSubscribeOptions('pulsar-adapter', asked, given);
    checkName(subscribing.group, 'group', 'subscribe');
    for (const topic of asked) names.topic(topic, 'subscribe to');
    let member: Member | undefined;
    const prepared = prepareSubscription(asked, handler, subscribing, {
      adapter: 'pulsar-adapter',
      publisher: transport,
      lane: (delivery) => member?.lanes.stateOf(delivery) ?? { heldMs: 0, backlog: 0 },
      logger,
    });
    try {
      const { driver, publisher } = await load();
      await ensureNeeds(prepared);
      const readings = await Promise.all(prepared.topics.map((topic) => readingOf(topic, subscribing)));
      if ((state as string) !== 'open') throw closedError(what);
      member = new Member({
        readings,
        prepared,
        options: subscribing,
        type: subscribing.ordering === 'none' ? 'Shared' : subscriptionType,
        session: `${hostname()}-${process.pid}-${randomUUID().slice(0, 13)}`,
        receiverQueue: resolved.receiverQueue,
        driver,
        admin,
        format: resolved.format,
        backoff: resolved.backoff,
        attempts: { driver, admin, publisher, backoff: resolved.backoff, timeoutMs: requestTimeoutMs, logger },
        logger,
      });
    } catch (error) {
      await prepared.close();
      throw error;
    }
    const joined = member;
    try {
      await joined.open();
      if ((state as string) !== 'open') throw closedError(what);
    } catch (error) {
      await joined.close();
      throw error;
    }
    members.add(joined);
    const forget = (): boolean => members.delete(joined);
    joined.closed.then(forget, forget);
    return joined;
  };

  const ensureNeeds = async ({ ensure }: PreparedSubscription): Promise<void> => {
    await Promise.all(
      ensure.map(async ({ topic: needed, subscriptions, compacted }) => {
        const topic = names.topic(needed, 'subscribe to');
        await topics.partitions(topic);
        if (compacted) await admin.setCompaction(topic, compactionBytes);
        await Promise.all(
          subscriptions.map((subscription) => admin.createSubscription(topic, subscription, 'earliest')),
        );
      }),
    );
  };

  const readingOf = async (asked: string, { group, startPosition }: ResolvedSubscribeOptions): Promise<Reading> => {
    const topic = names.topic(asked, 'subscribe to');
    const partitions = await topics.partitions(topic);
    await admin.createGroup(topic, group, startPosition);
    return { name: asked, topic, partitions };
  };

  const transport: PulsarTransport = {
    name,
    capabilities: capabilitiesOf[subscriptionType],
    driver: async () => (await load()).driver.kind,
    topics: async () => {
      if (state !== 'open') throw closedError('list topics');
      return topicsOf(rest, names);
    },
    async publish(topic, messages) {
      if (state === 'closed') throw closedError(`publish to "${topic}"`);
      const { publisher } = await load();
      await publisher.publish(topic, messages);
    },
    subscribe: (asked, each, given) => tracked(subscribe(asked, { each }, given)),
    subscribeBatch: (asked, batch, given) => tracked(subscribe(asked, { batch }, given)),
    async openCheckpointed(log, opening) {
      if (state !== 'open') throw closedError(`open log "${log}"`);
      checkName(log, 'log', 'open');
      const { driver, encoder } = await load();
      const context = { driver, admin, names, topics, encoder, options: resolved, ending: ending.signal };
      const publisher = await tracked(LogPublisher.open(log, opening, context));
      logs.add(publisher);
      return publisher;
    },
    async checkpointOf(log) {
      if (state === 'closed') throw closedError(`look at log "${log}"`);
      checkName(log, 'log', 'look at');
      return (await readCheckpoint(admin, checkpointTopic(names, log, 'look at')))?.through;
    },
    // The last first.
    ...closeOnce(() =>
      closeAll([
        () => rest.close(),
        async () => {
          const driver = (await loading?.catch(() => undefined))?.driver;
          await driver?.close();
        },
        async () => {
          state = 'closed';
          const publisher = (await loading?.catch(() => undefined))?.publisher;
          await publisher?.close(closedError('publish'));
        },
        async () => {
          await Promise.allSettled(Array.from(logs, (log) => log.close()));
        },
        () => closeTogether(members),
        async () => {
          state = 'draining';
          ending.abort(closedError('go on'));
          await Promise.allSettled(underway);
        },
      ]),
    ),
  };
  return transport;
}

/** The broker compacts a topic that has grown by so much. */
const compactionBytes = 10 * 1_048_576;

const closedError = (what: string): BentoError =>
  new BentoError('CLOSED', `pulsar-adapter: cannot ${what}: the transport is closed. Make a new one.`);
