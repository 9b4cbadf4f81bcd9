import type { Operations } from '@bento-bus/admin';
import type { Closeable, Logger } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import type { GroupLag, LagMonitor, Watchdog } from '@bento-bus/observability';
import type { Groups } from '../http/schemas.ts';

/** Who wants to know. */
interface GroupFollower {
  readonly groups: (groups: Groups) => void;
  /** Messages that could not be handled and wait. */
  readonly failed: (count: number) => void;
}

/** How far groups are, and how many messages they could not handle. */
export interface GroupWatch extends Closeable {
  /** As of now. */
  refresh(): Promise<Groups>;
  /** Tells what there is, then what is different. Returns what ends that. */
  follow(follower: GroupFollower): () => void;
  /** Somebody has redriven or discarded messages. */
  failedChanged(): void;
}

export interface GroupWatchOptions {
  readonly backend: string;
  readonly lag: LagMonitor;
  readonly watchdog: Pick<Watchdog, 'problems'>;
  readonly operations: Pick<Operations, 'failedPlaces'>;
  /** How often failed messages are counted, while somebody follows. Milliseconds. */
  readonly everyMs: number;
  readonly logger: Logger;
}

/** Lag is watched always, failed messages while somebody follows. */
export function createGroupWatch(options: GroupWatchOptions): GroupWatch {
  const { lag, operations, everyMs, logger } = options;
  const followers = new Set<GroupFollower>();
  let told: string | undefined;
  let failed: number | undefined;
  let counting: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const tellGroups = (groups: readonly GroupLag[]): void => {
    const view = groupsView(groups, options);
    const now = JSON.stringify(view.groups);
    if (now === told) return;
    told = now;
    for (const follower of followers) follower.groups(view);
  };
  const count = async (): Promise<void> => {
    try {
      const places = await operations.failedPlaces();
      const now = places.reduce((sum, place) => sum + place.count, 0);
      if (now === failed) return;
      failed = now;
      for (const follower of followers) follower.failed(now);
    } catch (error) {
      logger.warn('failed messages cannot be counted', { error });
    }
  };
  const look = (): void => {
    counting ??= count().finally(() => {
      counting = undefined;
    });
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const unfollow = lag.onChange(tellGroups);
  return {
    refresh: async () => groupsView(await lag.refresh(), options),
    follow(follower) {
      followers.add(follower);
      follower.groups(groupsView(lag.current(), options));
      if (failed !== undefined) follower.failed(failed);
      look();
      // A watchdog tells nobody: its finds come with the next count.
      timer ??= setInterval(() => {
        look();
        tellGroups(lag.current());
      }, everyMs).unref();
      return () => {
        followers.delete(follower);
        if (followers.size === 0) stop();
      };
    },
    failedChanged: look,
    ...closeOnce(async () => {
      stop();
      unfollow();
      followers.clear();
      await counting;
    }),
  };
}

function groupsView(groups: readonly GroupLag[], { backend, watchdog }: GroupWatchOptions): Groups {
  const problems = watchdog.problems();
  // Who was not asked yet is taken for well.
  const isStopped = ({ topic, group, members, state, error }: GroupLag): boolean =>
    (members === 0 && (state !== 'unknown' || error !== undefined)) ||
    problems.some((problem) => problem.group === group && problem.topics.includes(topic));
  const at = Math.max(0, ...groups.map((one) => one.at ?? 0));
  return {
    groups: groups.map((one) => ({
      topic: one.topic,
      group: one.group,
      lag: one.lag,
      members: one.members,
      state: isStopped(one) ? 'stopped' : one.lag > one.limit ? 'behind' : 'ok',
    })),
    backend,
    updatedAt: new Date(at === 0 ? Date.now() : at).toISOString(),
  };
}
