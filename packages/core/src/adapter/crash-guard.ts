import { BentoError } from '../errors.ts';
import { type LogFields, type Logger, silentLogger } from '../logger.ts';

/** How a message was at work: with any others, with a few others of its batch, or with nothing else in the process. */
export const company = { any: 1, few: 2, none: 3 } as const;

/** What is known of one message that failed, or may have killed its process. */
export interface GuardEntry {
  /** Starts of the handler so far. */
  readonly attempt: number;
  /** How often the process died while only it, or a few, were at work. */
  readonly crashes: number;
  /** The least company it had at a death: 1 any, 2 few, 3 none; 0: no process died with it. */
  readonly level: number;
  /** It was started in this company, and that it ended is not stored: for another session than the one that stored it, that one died. */
  readonly open: number;
}

/** What a group remembers of one source across crashes. */
export interface GuardState {
  /** Sessions in a row that began, this one included, and neither ended cleanly nor came far. */
  readonly starts: number;
  /** For so many messages it is still recorded what is started; 0: for none. */
  readonly suspectLeft: number;
  /** By `Delivery.position`. */
  readonly entries: ReadonlyMap<string, GuardEntry>;
}

/** How a guard works. */
export interface CrashGuardOptions {
  /** As the session before left it. */
  readonly found: GuardState | undefined;
  /**
   * How many messages a session that died may have had in hand, at most: the largest number in flight, and what may be settled and not
   * yet stored as done. After as many without a death the source is at rest again.
   */
  readonly window: number;
  /** As in `SubscribeOptions`. */
  readonly maxCrashes: number;
  /**
   * Makes {@link CrashGuard.state} durable: entries of messages that are about to be started, or (none named) what else has changed.
   * Resolves once it is stored. Calls come together: let them share a write.
   */
  readonly store: (positions: readonly string[]) => Promise<void>;
  /** @default silentLogger */
  readonly logger?: Logger;
  /** For log lines: topic, group, partition. */
  readonly fields?: LogFields;
}

/**
 * Finds the message that kills the process, in one source (a partition, a topic) of a group. A session is the time in which one member
 * reads the source; it begins with storing that it began. When the one before neither ended cleanly nor handled `window` messages, a
 * session records what it starts. If it dies too, what it had at work is suspect: {@link guarded} lets nothing else of the process
 * run beside a suspect (of a batch: at first beside a few). After `maxCrashes` of such deaths, the last of them alone, a message is
 * condemned: after `maxCrashes + 2` deaths (batch handlers: at least 4). Nothing is recorded, and nothing costs, while nothing dies.
 */
export interface CrashGuard {
  /** What is started is recorded before. */
  readonly recording: boolean;
  /** For a delivery that is new to this session: its attempt, and why it must not be started any more (push it so to the lanes). */
  take(position: string): { readonly attempt: number; readonly condemned: BentoError | undefined };
  /** As in {@link GuardEntry}. */
  level(position: string): number;
  /** Resolves once it is stored that these are started, in this company (1, 2, 3). For {@link guarded}. */
  begin(started: readonly { readonly position: string; readonly attempt: number }[], company: number): Promise<void>;
  /** They have ended. For {@link guarded}. */
  ended(positions: readonly string[]): void;
  /** Resolves once it is stored that they have ended, or cannot be; never rejects. For {@link guarded}, before another suspect has its turn. */
  endStored(positions: readonly string[]): Promise<void>;
  /** The message was acknowledged. */
  settled(position: string): void;
  /** The session ends cleanly; store the state after it. */
  end(): void;
  /** To be stored. `held`: what fails at present, with the starts of its handler so far. */
  state(held?: Iterable<readonly [position: string, attempt: number]>): GuardState;
  /** What another session has stored since; undefined: it is settled. */
  merge(position: string, entry: GuardEntry | undefined): void;
}

/** Makes a guard; store its state before the first message is handed out. */
export function createCrashGuard(options: CrashGuardOptions): CrashGuard {
  const { found, window, maxCrashes, store, logger = silentLogger, fields = {} } = options;
  const entries = new Map(found?.entries);
  const deaths = found?.starts ?? 0;
  let starts = deaths + 1;
  let left = window;
  let recording = deaths > 0 || (found?.suspectLeft ?? 0) > 0;
  if (deaths > 1)
    logger.warn('processes died while they handled messages of this source; suspect ones are handled alone', {
      ...fields,
      deaths,
    });

  const isCondemned = ({ crashes, level }: GuardEntry): boolean => crashes >= maxCrashes && level === company.none;

  const rest = (): void => {
    if (!recording) return;
    starts = 1;
    recording = false;
    store([]).catch((error: unknown) =>
      logger.warn('cannot store that a source is no longer suspect; it will be found so again', { ...fields, error }),
    );
  };

  return {
    get recording() {
      return recording;
    },
    take(position) {
      if (entries.size === 0) return fresh;
      let entry = entries.get(position);
      if (entry === undefined) return fresh;
      if (entry.open > 0) {
        const { attempt, crashes, level, open } = entry;
        entry = {
          attempt,
          crashes: open === company.any ? crashes : crashes + 1,
          level: Math.max(level, open),
          open: 0,
        };
        entries.set(position, entry);
        recording = true;
        left = window;
      }
      return {
        attempt: entry.attempt + 1,
        condemned: isCondemned(entry) ? killer(position, entry.crashes) : undefined,
      };
    },
    level: (position) => entries.get(position)?.level ?? 0,
    begin(started, open) {
      for (const { position, attempt } of started) {
        const { crashes, level } = entries.get(position) ?? untouched;
        entries.set(position, { attempt, crashes, level, open });
      }
      return store(started.map(({ position }) => position));
    },
    ended(positions) {
      for (const position of positions) {
        const entry = entries.get(position);
        if (entry !== undefined) entries.set(position, { ...entry, open: 0 });
      }
    },
    endStored: (positions) =>
      store(positions).catch((error: unknown) =>
        logger.warn('cannot store that a suspect message has ended; should the process die now, it counts as at work', {
          ...fields,
          error,
        }),
      ),
    settled(position) {
      if (entries.size > 0) {
        const entry = entries.get(position);
        entries.delete(position);
        // The killer is found and gone.
        if (entry !== undefined && isCondemned(entry)) left = Math.min(left, 1);
      }
      if (left > 0 && (left -= 1) === 0) rest();
    },
    end() {
      starts = 0;
    },
    state(held) {
      const all = new Map(entries);
      if (held !== undefined)
        for (const [position, attempt] of held) all.set(position, { ...(entries.get(position) ?? untouched), attempt });
      return { starts, suspectLeft: recording ? left : 0, entries: all };
    },
    merge(position, entry) {
      if (entry === undefined) entries.delete(position);
      else entries.set(position, entry);
    },
  };
}

const fresh = { attempt: 1, condemned: undefined } as const;
const untouched: GuardEntry = { attempt: 0, crashes: 0, level: 0, open: 0 };

const killer = (position: string, crashes: number): BentoError =>
  new BentoError(
    'HANDLER',
    `core: cannot handle the message at ${position}: the process died ${crashes} times while handling it. Mend its handler, then deliver it again.`,
  );
