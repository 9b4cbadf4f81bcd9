import {
  configurationError,
  type DeliveryHandler,
  type Logger,
  type Middleware,
  type Subscription,
  silentLogger,
} from '@bento-bus/core';
import { thrownText } from '@bento-bus/core/adapter';
import type { GaugeRegistry, GaugeValue } from '../gauges.ts';
import type { Instrument, SubscriptionWatch, Watched } from '../instrument.ts';
import type { LagMonitor } from '../lag/lag-monitor.ts';
import { metricNames } from '../names.ts';

/** A subscription that does nothing any more. */
export interface WatchdogProblem {
  /**
   * `'ended'`: by a fault that retrying does not mend. `'stalled'`: it has messages in hand, and no handling has ended for `stallMs`.
   * `'idle'`: its group is behind, and nothing was handled for `stallMs`, here or by other members.
   */
  readonly kind: 'ended' | 'stalled' | 'idle';
  readonly group: string;
  readonly topics: readonly string[];
  /** For people, in one line. */
  readonly detail: string;
}

/** Watches whether subscriptions work. Hand it to `instrument`. */
export interface Watchdog extends Instrument {
  /** As of now. */
  problems(): readonly WatchdogProblem[];
}

/** Options of {@link createWatchdog}. */
export interface WatchdogOptions {
  /** Longer than any handler may take. Seen with at most a sixth of it delay. Milliseconds. @default 60_000 */
  readonly stallMs?: number;
  /**
   * Also finds subscriptions that get nothing though their group is behind. On Pulsar messages that are not due yet count as lag: leave
   * topics with long delays out of the monitor, or give `stallMs` room for them. @default none
   */
  readonly lag?: Pick<LagMonitor, 'current'>;
  /** Gets the gauge `bento_subscription_up`. @default none */
  readonly metrics?: GaugeRegistry;
  /** Problems that begin and end. @default silentLogger */
  readonly logger?: Logger;
}

/** Counts what begins and ends in each subscription, and looks from time to time: no clock is read for a message. */
export function createWatchdog(options: WatchdogOptions = {}): Watchdog {
  const { stallMs = 60_000, lag, metrics, logger = silentLogger } = options;
  if (!(stallMs > 0))
    throw configurationError('observability: cannot make a watchdog', [
      `stallMs must be a number of milliseconds above 0, not ${String(stallMs)}`,
    ]);
  const subscriptions = new Set<Watching>();
  let told: readonly Found[] = [];
  let timer: NodeJS.Timeout | undefined;

  const find = (): readonly Found[] => {
    const now = performance.now();
    return Array.from(subscriptions).flatMap((watching) => {
      const problem = watching.problem(now, stallMs, lag);
      return problem === undefined ? [] : [{ watching, problem }];
    });
  };
  const tell = (): void => {
    const found = find();
    for (const one of found) {
      const { group, topics, kind, detail } = one.problem;
      if (!isAmong(told, one)) logger.error(`observability: a subscription ${detail}`, { group, topics, kind });
    }
    for (const one of told) {
      const { group, topics, kind } = one.problem;
      if (!isAmong(found, one)) logger.info('observability: a subscription works again', { group, topics, kind });
    }
    told = found;
  };
  const look = (): void => {
    if (subscriptions.size > 0) {
      timer ??= setInterval(tell, Math.max(1, Math.min(stallMs / 6, 2 ** 31 - 1))).unref();
      return;
    }
    clearInterval(timer);
    timer = undefined;
  };
  metrics?.gauge(
    metricNames.subscriptionUp,
    '1 while a subscription works, 0 once it has ended by a fault or stands still; of several, the worst.',
    ['topic', 'group'],
    () => upOf(subscriptions, find()),
  );
  return {
    problems: () => find().map(({ problem }) => problem),
    subscribing(watched): SubscriptionWatch {
      const one = new Watching(watched);
      return {
        use: one.use,
        opened: (subscription) => {
          // In the place of one that has ended.
          const ended = Array.from(subscriptions).find((other) => other.hasEnded && other.isLike(one));
          if (ended !== undefined) subscriptions.delete(ended);
          subscriptions.add(one);
          one.opened(subscription, () => {
            subscriptions.delete(one);
            look();
          });
          look();
        },
      };
    },
  };
}

/** A problem, and whose it is: several subscriptions may have one group and the same topics. */
interface Found {
  readonly watching: Watching;
  readonly problem: WatchdogProblem;
}

const isAmong = (all: readonly Found[], { watching, problem: { kind } }: Found): boolean =>
  all.some((one) => one.watching === watching && one.problem.kind === kind);

/** One value a topic and group. */
function upOf(subscriptions: Iterable<Watching>, found: readonly Found[]): readonly GaugeValue[] {
  const down = new Set(found.map(({ watching }) => watching));
  const values = new Map<string, GaugeValue>();
  for (const one of subscriptions)
    for (const topic of one.topics) {
      const labels = { topic, group: one.group };
      const key = JSON.stringify(labels);
      if (down.has(one) || !values.has(key)) values.set(key, { labels, value: down.has(one) ? 0 : 1 });
    }
  return [...values.values()];
}

/** One subscription. */
class Watching {
  readonly group: string;
  readonly topics: readonly string[];
  readonly use: Middleware;
  #started = 0;
  #ended = 0;
  /** `#ended` when it was looked at last, since when it is so, and since when that is a fault, for what is in hand and for the lag. */
  #seen = 0;
  #movedAt = performance.now();
  #idleSince = this.#movedAt;
  #failure: string | undefined;

  constructor({ topics, options: { group } }: Watched) {
    this.group = group;
    this.topics = topics;
    const ended = (): void => {
      this.#ended += 1;
    };
    const failed = (error: unknown): never => {
      this.#ended += 1;
      throw error;
    };
    this.use = (next: DeliveryHandler) => (delivery, signal) => {
      this.#started += 1;
      try {
        // A handler written in JavaScript may return no promise.
        return Promise.resolve(next(delivery, signal)).then(ended, failed);
      } catch (error) {
        return failed(error);
      }
    };
  }

  /** By a fault. */
  get hasEnded(): boolean {
    return this.#failure !== undefined;
  }

  isLike({ group, topics }: Watching): boolean {
    return this.group === group && JSON.stringify(this.topics) === JSON.stringify(topics);
  }

  opened({ closed }: Subscription, forget: () => void): void {
    this.#movedAt = performance.now();
    this.#idleSince = this.#movedAt;
    closed.then(forget, (error: unknown) => {
      this.#failure = thrownText(error);
    });
  }

  problem(now: number, stallMs: number, lag: Pick<LagMonitor, 'current'> | undefined): WatchdogProblem | undefined {
    const { group, topics } = this;
    const about = (kind: WatchdogProblem['kind'], detail: string): WatchdogProblem => ({ kind, group, topics, detail });
    if (this.#failure !== undefined) return about('ended', `has ended: ${this.#failure}`);
    const inHand = this.#started - this.#ended;
    const { behind, stillMs } = this.#ofGroup(lag);
    const moved = this.#ended !== this.#seen;
    this.#seen = this.#ended;
    if (moved || inHand === 0) this.#movedAt = now;
    if (moved || behind === 0) this.#idleSince = now;
    if (now - this.#movedAt >= stallMs)
      return about('stalled', `has ${inHand} messages in hand and has ended none for ${text(now - this.#movedAt)}`);
    // Others of the group may do all of its work.
    if (inHand === 0 && stillMs >= stallMs && now - this.#idleSince >= stallMs)
      return about('idle', `is ${behind} messages behind and has handled none for ${text(now - this.#idleSince)}`);
    return undefined;
  }

  /**
   * What the monitor saw of the group: messages that it is behind, without those that may be no more than the ends of transactions; and for
   * how long it had not moved on any topic with such.
   */
  #ofGroup(lag: Pick<LagMonitor, 'current'> | undefined): { readonly behind: number; readonly stillMs: number } {
    const behind = (lag?.current() ?? [])
      .filter(({ group, topic }) => group === this.group && this.topics.includes(topic))
      .filter(({ lag: messages, partitions, error }) => error === undefined && messages > partitions);
    return {
      behind: behind.reduce((sum, { lag: messages }) => sum + messages, 0),
      stillMs: Math.min(...behind.map(({ at = 0, movedAt = at }) => at - movedAt)),
    };
  }
}

const text = (ms: number): string => (ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1_000)} s`);
