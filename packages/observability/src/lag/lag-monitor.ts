import {
  BentoError,
  type Closeable,
  type GroupDescription,
  isBentoError,
  type PartitionBacklog,
} from '@bento-bus/core';
import { closeOnce, thrownText, withDeadline } from '@bento-bus/core/adapter';
import { metricNames } from '../names.ts';
import {
  type GroupLag,
  type LagMonitorOptions,
  type ResolvedLagOptions,
  resolveLagOptions,
  type WatchedGroup,
} from './options.ts';

/** Looks again and again how far groups are behind. */
export interface LagMonitor extends Closeable {
  /** As of the last look, in the order of the options. */
  current(): readonly GroupLag[];
  /** Looks now, or joins the look under way. Never rejects: what failed stands in `error`. */
  refresh(): Promise<readonly GroupLag[]>;
  /** Calls `listener` after each look that found something else than the one before; returns what ends that. */
  onChange(listener: (groups: readonly GroupLag[]) => void): () => void;
}

/**
 * Asks the backend how far each group is behind: at once, and then every `everyMs`, one group after the other and never a second time
 * while a question is open. Its timer keeps no process alive. A broker that does not answer changes no value: the fault stands beside it,
 * and in the log once, until it answers again. Close waits for no answer. Throws a `CONFIGURATION` error that names every fault of the
 * options.
 */
export function createLagMonitor(options: LagMonitorOptions): LagMonitor {
  const resolved = resolveLagOptions(options);
  const { everyMs, groups, limit, logger, metrics } = resolved;
  const watched = groups.map((group) => new Watched(group, limit));
  const listeners = new Set<(groups: readonly GroupLag[]) => void>();
  let looking: Promise<readonly GroupLag[]> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  const current = (): readonly GroupLag[] => watched.map(({ lag }) => lag);
  const look = async (): Promise<readonly GroupLag[]> => {
    let changed = false;
    for (const one of watched) {
      if (isClosed) return current();
      changed = (await one.look(resolved)) || changed;
    }
    const found = current();
    if (changed)
      for (const listener of listeners)
        try {
          listener(found);
        } catch (error) {
          logger.error('observability: who listens to the lag of groups failed', { error });
        }
    return found;
  };
  const refresh = (): Promise<readonly GroupLag[]> =>
    (looking ??= look().finally(() => {
      looking = undefined;
    }));
  const follow = async (): Promise<void> => {
    await refresh();
    if (isClosed) return;
    timer = setTimeout(() => void follow(), everyMs * (0.9 + 0.2 * Math.random()));
    timer.unref();
  };
  metrics?.gauge(metricNames.lag, 'Messages that a group has not acknowledged.', ['topic', 'group'], () =>
    current().flatMap(({ topic, group, state, lag }) =>
      state === 'unknown' ? [] : [{ labels: { topic, group }, value: lag }],
    ),
  );
  void follow();
  return {
    current,
    refresh,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    ...closeOnce(() => {
      isClosed = true;
      clearTimeout(timer);
      listeners.clear();
    }),
  };
}

/** One group, and the question that is open. */
class Watched {
  lag: GroupLag;
  #partitions: readonly PartitionBacklog[] | undefined;
  #asked: Promise<GroupDescription> | undefined;

  constructor({ topic, group, limit: own }: WatchedGroup, limit: number) {
    const nothing = { state: 'unknown', lag: 0, partitions: 0, members: 0, error: undefined } as const;
    this.lag = { topic, group, limit: own ?? limit, movedAt: undefined, at: undefined, ...nothing };
  }

  /** True: something is different now. */
  async look({ admin, timeoutMs, logger }: ResolvedLagOptions): Promise<boolean> {
    const { topic, group } = this.lag;
    const before = this.lag;
    try {
      // One that has not been answered is not asked again: a broker that hangs is not flooded.
      this.#asked ??= admin.describeGroup(topic, group).finally(() => {
        this.#asked = undefined;
      });
      const { backlog, partitions, members } = await withDeadline(this.#asked, timeoutMs, () => {
        throw tooLate(topic, group, timeoutMs);
      });
      const at = Date.now();
      const hasMoved = this.#partitions === undefined || isBeyond(partitions, this.#partitions);
      this.#partitions = partitions;
      this.lag = {
        ...before,
        state: 'known',
        lag: backlog,
        partitions: partitions.filter((one) => one.backlog > 0).length,
        members: members.length,
        movedAt: hasMoved ? at : before.movedAt,
        at,
        error: undefined,
      };
    } catch (error) {
      if (isBentoError(error, 'UNKNOWN_GROUP') || isBentoError(error, 'UNKNOWN_TOPIC')) {
        this.lag = { ...before, state: 'absent', lag: 0, partitions: 0, members: 0, at: Date.now(), error: undefined };
      } else {
        this.lag = { ...before, error: thrownText(error) };
        if (before.error === undefined)
          logger.warn('observability: cannot see the lag of a group', { topic, group, error });
      }
    }
    const { lag } = this;
    return (['state', 'lag', 'members', 'error'] as const).some((name) => lag[name] !== before[name]);
  }
}

/** Messages that are acknowledged out of their order move no position, and make the backlog smaller. */
const isBeyond = (now: readonly PartitionBacklog[], before: readonly PartitionBacklog[]): boolean =>
  now.some(({ partition, next, backlog }) => {
    const was = before.find((one) => one.partition === partition);
    return was === undefined || was.next !== next || backlog < was.backlog;
  });

const tooLate = (topic: string, group: string, ms: number): BentoError =>
  new BentoError(
    'TIMEOUT',
    `observability: cannot see the lag of group "${group}" on "${topic}": no answer in ${ms} ms. Look at the broker.`,
    true,
  );
