import type { Closeable } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import type { GroupLag, LagMonitor, Watchdog } from '@bento-bus/observability';
import type { Groups } from '../http/schemas.ts';
import type { DeadLetters } from './dead-letters.ts';

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
  readonly deadLetters: Pick<DeadLetters, 'total' | 'onChange' | 'look'>;
  /** How often is looked at the watchdog, while somebody follows. Milliseconds. */
  readonly everyMs: number;
}

/** What others watch, told to those who follow. */
export function createGroupWatch(options: GroupWatchOptions): GroupWatch {
  const { lag, deadLetters, everyMs } = options;
  const followers = new Set<GroupFollower>();
  let told: string | undefined;
  let timer: NodeJS.Timeout | undefined;

  const tellGroups = (groups: readonly GroupLag[]): void => {
    const view = groupsView(groups, options);
    const now = JSON.stringify(view.groups);
    if (now === told) return;
    told = now;
    for (const follower of followers) follower.groups(view);
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const unfollow = [
    lag.onChange(tellGroups),
    deadLetters.onChange((count) => {
      for (const follower of followers) follower.failed(count);
    }),
  ];
  return {
    refresh: async () => groupsView(await lag.refresh(), options),
    follow(follower) {
      followers.add(follower);
      follower.groups(groupsView(lag.current(), options));
      if (deadLetters.total !== undefined) follower.failed(deadLetters.total);
      deadLetters.look();
      // A watchdog tells nobody: its finds come with the next look.
      timer ??= setInterval(() => tellGroups(lag.current()), everyMs).unref();
      return () => {
        followers.delete(follower);
        if (followers.size === 0) stop();
      };
    },
    failedChanged: () => deadLetters.look(),
    ...closeOnce(async () => {
      stop();
      for (const end of unfollow) end();
      followers.clear();
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
