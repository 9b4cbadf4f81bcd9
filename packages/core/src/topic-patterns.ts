import { setTimeout as sleep } from 'node:timers/promises';
import { fullJitter } from './adapter/backoff.ts';
import { deferred } from './adapter/deferred.ts';
import { closeOnce } from './adapter/drain.ts';
import { BentoError, isBentoError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { Subscription } from './transport.ts';

/** A topic, or a pattern of names: whatever topics match it, also those that are made later. */
export type TopicSelector = string | RegExp;

/** The power to say what topics there are. */
export interface TopicListing {
  /** Names of all topics, as `publish` and `subscribe` take them. */
  topics(): Promise<readonly string[]>;
}

export const canListTopics = <T extends object>(transport: T): transport is T & TopicListing =>
  'topics' in transport && typeof transport.topics === 'function';

/**
 * Topics that are made beside others, by the toolkit or the broker: progress, checkpoints, what waits, what is tried again, dead
 * letters and their originals, replies. No pattern matches them; to consume one, name it.
 */
export const isBesideTopic = (topic: string): boolean =>
  /^(?:__|bento-delay-|bento-reply-)|-(?:CHECKPOINT|ATTEMPTS|RETRY|DLQ|AUDIT)$/.test(topic);

/** What is needed of a subscription. */
type Followed = Pick<Subscription, 'closed' | 'close'>;

export interface Following {
  readonly group: string;
  readonly list: () => Promise<readonly string[]>;
  readonly selectors: readonly TopicSelector[];
  /** Milliseconds. */
  readonly refreshMs: number;
  /** Subscribes to these; `later`: what is new among them was not there when the group began. */
  readonly open: (topics: readonly string[], later: boolean) => Promise<Followed>;
  readonly logger: Logger;
}

const backoff = fullJitter({ baseMs: 100, capMs: 5_000 });

/**
 * A subscription to whatever topics match. Looks for others every `refreshMs`; when there are any, the subscription is closed, which
 * lets its handlers finish, and opened anew with them: one subscription at a time, so that its concurrency holds for all topics together.
 */
export async function followTopics(following: Following): Promise<Subscription> {
  const { group, list, selectors, refreshMs, open, logger } = following;
  const ended = deferred();
  // Nobody has to listen.
  ended.promise.catch(() => {});
  const stop = new AbortController();
  // Flags like g make a pattern remember where it was.
  const patterns = selectors.flatMap((one) =>
    typeof one === 'string' ? [] : [new RegExp(one.source, one.flags.replace(/[gy]/g, ''))],
  );
  const named = selectors.filter((one) => typeof one === 'string');
  let topics: readonly string[] = [];
  let running: Followed | undefined;

  /** Stopping may come while something is awaited. */
  const isStopped = (): boolean => stop.signal.aborted;

  const find = async (): Promise<readonly string[]> => {
    const matching = (await list()).filter((topic) => !isBesideTopic(topic) && patterns.some((one) => one.test(topic)));
    return [...new Set([...named, ...matching])].toSorted();
  };
  const use = async (found: readonly string[], later: boolean): Promise<void> => {
    const opened = found.length === 0 ? undefined : await open(found, later);
    running = opened;
    topics = found;
    opened?.closed.catch((error: unknown) => {
      // It ended by itself, and not because it was replaced.
      if (running === opened) end(error);
    });
  };
  const end = (error: unknown): void => {
    ended.reject(error);
    stop.abort();
  };
  const replace = async (found: readonly string[]): Promise<void> => {
    logger.info('other topics match a subscription now', { group, topics: found });
    const before = running;
    running = undefined;
    await before?.close();
    for (let failures = 1; !stop.signal.aborted; failures += 1) {
      try {
        await use(found, true);
        return;
      } catch (error) {
        if (!isBentoError(error) || !error.retryable) throw error;
        logger.warn('cannot subscribe to the topics that match now; trying again', { group, topics: found, error });
        await sleep(backoff(failures), undefined, { signal: stop.signal }).catch(() => {});
      }
    }
  };
  const follow = async (): Promise<void> => {
    for (;;) {
      await sleep(refreshMs, undefined, { signal: stop.signal, ref: false }).catch(() => {});
      if (isStopped()) return;
      const found = await find().catch((error: unknown) => {
        logger.warn('cannot look for topics that match; trying again', { group, error });
        return topics;
      });
      if (found.join('\n') !== topics.join('\n') && !isStopped()) await replace(found);
    }
  };

  await use(await find(), false);
  const followed = follow().catch(end);
  return {
    closed: ended.promise,
    ...closeOnce(async () => {
      stop.abort();
      await followed;
      await running?.close();
      ended.resolve();
    }),
  };
}

/** The topics of a transport, for patterns; throws `UNSUPPORTED` where it cannot say them. */
export function listingOf(transport: object, group: string): () => Promise<readonly string[]> {
  if (canListTopics(transport)) return () => transport.topics();
  throw new BentoError(
    'UNSUPPORTED',
    `core: cannot subscribe group "${group}" to a pattern: its transport cannot list topics. Name the topics.`,
  );
}
