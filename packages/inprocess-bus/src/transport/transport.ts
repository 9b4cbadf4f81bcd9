import {
  BentoError,
  type CheckpointedPublishing,
  type StartPosition,
  type SubscribeOptions,
  type Subscription,
  type TopicListing,
  type Transport,
} from '@bento-bus/core';
import {
  closeAll,
  closeOnce,
  closeTogether,
  dueTimeOf,
  largestInFlight,
  prepareSubscription,
  resolveSubscribeOptions,
  type SubscriptionHandler,
  Turns,
} from '@bento-bus/core/adapter';
import { capabilities } from './capabilities.ts';
import type { Cursor } from './cursor.ts';
import { Group } from './group.ts';
import { type Inside, inside } from './inside.ts';
import { Log } from './log.ts';
import { LogPublisher } from './log-publisher.ts';
import { GroupMember } from './member.ts';
import { createMemoryCheckpointStore } from './memory-checkpoint-store.ts';
import { type InProcessTransportOptions, resolveOptions } from './options.ts';
import { checkName, storedMessage } from './stored-message.ts';
import { Topic } from './topic.ts';

/** A backend in this process, with the power to publish a log. */
export interface InProcessTransport extends Transport, CheckpointedPublishing, TopicListing {
  /**
   * Messages in the topics that a group reads now and has not finished: waiting, not due yet, or in hand. 0 for a group without members.
   * Tells a program that is about to end whether all that was published has been handled.
   */
  backlog(group: string): number;
}

/**
 * A backend in memory with the semantics of a broker: topics are logs, groups share or repeat their messages, what is rejected comes
 * again, keys keep their order, full topics hold publishers back. Nothing of it outlives the process, except what groups have finished
 * of a log that is published with `openCheckpointed`, if `checkpoints` outlives it. Bodies are not copied: do not change them.
 *
 * Close refuses new subscriptions, drains the present ones (each up to its `drainMs`; they may still publish), then refuses everything.
 */
export function createInProcessTransport(options: InProcessTransportOptions = {}): InProcessTransport {
  const { name, clock, retention, publishTimeoutMs, logger, checkpoints, prefix } = resolveOptions(options);
  const store = checkpoints ?? createMemoryCheckpointStore();
  const topics = new Map<string, Topic>();
  const groups = new Map<string, Group>();
  const logs = new Map<string, Log>();
  const members = new Set<GroupMember>();
  const turns = new Turns(clock);
  let state: 'open' | 'draining' | 'closed' = 'open';

  const topicOf = (topic: string): Topic => known(topics, topic, () => new Topic(topic, retention, clock));
  const groupOf = (group: string): Group => known(groups, group, () => new Group(group, clock));

  const subscribe = async (
    asked: readonly string[],
    handler: SubscriptionHandler,
    given: SubscribeOptions,
  ): Promise<Subscription> => {
    const what = `subscribe group "${given.group}"`;
    if (state !== 'open') throw closedError(what);
    const resolved = resolveSubscribeOptions('inprocess-bus', asked, given);
    checkName('subscribe', 'group', resolved.group);
    let member: GroupMember | undefined;
    let reading: readonly Cursor[] = [];
    const prepared = prepareSubscription(asked, handler, resolved, {
      adapter: 'inprocess-bus',
      publisher: transport,
      lane: (delivery) => member?.lanes.stateOf(delivery) ?? { heldMs: 0, backlog: 0 },
      clock,
      logger,
    });
    try {
      for (const { topic, subscriptions } of prepared.ensure)
        for (const subscription of subscriptions)
          groupOf(subscription).cursor(topicOf(topic), 'earliest').pinned = true;
      const group = groupOf(resolved.group);
      const cursors = prepared.topics.map((topic) => cursorIn(group, topic, resolved.startPosition));
      reading = cursors;
      for (const cursor of cursors) cursor.busy += 1;
      // Progress is stored before a message counts as handled, so what a process had in hand is all that it can have died of.
      const { maxCrashes, concurrency, size, maxLaneBacklog } = resolved;
      const guarding = { maxCrashes, window: largestInFlight({ concurrency, size, maxLaneBacklog }) };
      for (const cursor of cursors) cursor.guarding = guarding;
      for (const log of logs.values()) for (const cursor of cursors) await log.join(cursor);
      // Closing may have begun meanwhile.
      if ((state as string) !== 'open') throw closedError(what);
      for (const { missed, topic } of cursors)
        if (missed > 0)
          logger.warn('inprocess-bus: the topic has dropped messages while nobody of the group read it', {
            group: group.name,
            topic: topic.name,
            missed,
          });
      const joined = new GroupMember({ group, prepared, options: resolved, clock, logger, turns });
      member = joined;
      members.add(joined);
      const forget = (): boolean => members.delete(joined);
      joined.closed.then(forget, forget);
      group.join(joined);
      return joined;
    } catch (error) {
      await prepared.close();
      throw error;
    } finally {
      for (const cursor of reading) cursor.busy -= 1;
    }
  };

  const cursorIn = (group: Group, topic: string, startPosition: StartPosition): Cursor => {
    checkName('subscribe to', 'topic', topic);
    return group.cursor(topicOf(topic), startPosition);
  };

  const transport: InProcessTransport & { readonly [inside]: Inside } = {
    [inside]: { topics, groups, logs, topicOf, groupOf, isClosed: () => state === 'closed' },
    name,
    capabilities,
    publish(topic, messages) {
      try {
        if (state === 'closed') throw closedError(`publish to "${topic}"`);
        checkName('publish to', 'topic', topic);
        const drafts = messages.map((message) => ({
          message: storedMessage(topic, message),
          due: dueTimeOf('inprocess-bus', topic, message) ?? 0,
        }));
        return topicOf(topic).store(drafts, { timeoutMs: publishTimeoutMs }) ?? stored;
      } catch (error) {
        return Promise.reject(error);
      }
    },
    topics: async () => [...topics.keys()],
    backlog: (group) => groups.get(group)?.backlog ?? 0,
    subscribe: (asked, each, given) => subscribe(asked, { each }, given),
    subscribeBatch: (asked, batch, given) => subscribe(asked, { batch }, given),
    async openCheckpointed(log, { topics: published, head, signal, onStandby }) {
      if (state !== 'open') throw closedError(`open log "${log}"`);
      checkName('open', 'log', log);
      for (const topic of published) checkName('publish to', 'topic', topic);
      const opening = {
        topics: [...new Set(published)],
        head,
        signal,
        onStandby,
        readers: (topic: string) => [...topicOf(topic).cursors].filter((cursor) => cursor.live),
      };
      const opened = known(logs, log, () => new Log(log, { store, clock, logger, prefix }));
      return LogPublisher.open(opened, opening, topicOf);
    },
    // The last first.
    ...closeOnce(() =>
      closeAll([
        () => (checkpoints === undefined ? store.close() : undefined),
        () => closeAll(Array.from(logs.values(), (log) => () => log.close())),
        () => {
          state = 'closed';
          for (const topic of topics.values()) topic.close(closedError(`publish to "${topic.name}"`));
          for (const group of groups.values()) group.close();
        },
        () => closeTogether(members),
        () => {
          state = 'draining';
          for (const log of logs.values()) log.end(closedError(`publish log "${log.name}"`));
        },
      ]),
    ),
  };
  return transport;
}

/** Of all that is stored at once: none is made for each publish. */
const stored = Promise.resolve();

const closedError = (what: string): BentoError =>
  new BentoError('CLOSED', `inprocess-bus: cannot ${what}: the transport is closed. Make a new one.`);

function known<T>(all: Map<string, T>, name: string, make: () => T): T {
  let found = all.get(name);
  if (found === undefined) all.set(name, (found = make()));
  return found;
}
