import { BentoError } from '../errors.ts';
import { type LogFields, type Logger, silentLogger } from '../logger.ts';

/** What is known of one message that failed, or may have killed its process. */
export interface GuardEntry {
  /** Starts of the handler so far. */
  readonly attempt: number;
  /** How often the process died while it was the only message at work. */
  readonly crashes: number;
  /** It was started, and that it ended is not stored: for another session than the one that stored it, that one died. */
  readonly open: boolean;
}

/** What a group remembers of one source across crashes. */
export interface GuardState {
  /** Sessions in a row that began, this one included, and neither ended cleanly nor came far. */
  readonly starts: number;
  /** Messages still to be handled one at a time; 0: nothing is suspect. */
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
   * Makes {@link CrashGuard.state} durable: before a suspect message is started (with its position), and when starts or the window have
   * changed (undefined). Resolves once it is stored.
   */
  readonly store: (position: string | undefined) => Promise<void>;
  /** @default silentLogger */
  readonly logger?: Logger;
  /** For log lines: topic, group, partition. */
  readonly fields?: LogFields;
}

/**
 * Finds the message that kills the process, in one source (a partition, a topic) of a group. A session is the time in which one member
 * reads the source. It begins with storing that it began; two in a row that neither ended cleanly nor handled `window` messages make the
 * source suspect: then {@link guarded} handles one message at a time and stores it as started before. One that is found so by a later
 * session has killed the earlier one; after `maxCrashes` of these it is condemned, so after at most `maxCrashes + 2` deaths.
 */
export interface CrashGuard {
  /** One message at a time. */
  readonly suspect: boolean;
  /** For a delivery that is new to this session: its attempt, and why it must not be started any more (push it so to the lanes). */
  take(position: string): { readonly attempt: number; readonly condemned: BentoError | undefined };
  /** The message was acknowledged. */
  settled(position: string): void;
  /** The session ends cleanly; store the state after it. */
  end(): void;
  /** To be stored. `held`: what fails at present, with the starts of its handler so far. */
  state(held?: Iterable<readonly [position: string, attempt: number]>): GuardState;
  /** What another session has stored since; undefined: it is settled. */
  merge(position: string, entry: GuardEntry | undefined): void;
  /** Runs `work` when nothing else of the source runs, after storing that the message was started. For {@link guarded}. */
  alone<T>(position: string, attempt: number, work: () => Promise<T>): Promise<T>;
}

/** Sessions that died in a row before one message at a time is worth its price. */
const deathsUntilSuspect = 2;

/** Makes a guard; store its state before the first message is handed out. */
export function createCrashGuard(options: CrashGuardOptions): CrashGuard {
  const { found, window, maxCrashes, store, logger = silentLogger, fields = {} } = options;
  const entries = new Map(found?.entries);
  const died = found?.starts ?? 0;
  let starts = died + 1;
  let left = window;
  let suspect = died >= deathsUntilSuspect || (found?.suspectLeft ?? 0) > 0;
  let last: Promise<unknown> = Promise.resolve();
  if (suspect)
    logger.warn('the process died while it handled messages of this source; now one message at a time', {
      ...fields,
      deaths: died,
    });

  const rest = (): void => {
    // One more session may die here before the next is suspect.
    if (starts <= 1 && !suspect) return;
    starts = 1;
    suspect = false;
    store(undefined).catch((error: unknown) =>
      logger.warn('cannot store that a source is no longer suspect; it will be found so again', { ...fields, error }),
    );
  };

  return {
    get suspect() {
      return suspect;
    },
    take(position) {
      if (entries.size === 0) return fresh;
      let entry = entries.get(position);
      if (entry === undefined) return fresh;
      if (entry.open) {
        entry = { attempt: entry.attempt, crashes: entry.crashes + 1, open: false };
        entries.set(position, entry);
        suspect = true;
        left = window;
      }
      const { attempt, crashes } = entry;
      return { attempt: attempt + 1, condemned: crashes >= maxCrashes ? killer(position, crashes) : undefined };
    },
    settled(position) {
      if (entries.size > 0) {
        const entry = entries.get(position);
        entries.delete(position);
        // The killer is found and gone.
        if (entry !== undefined && entry.crashes >= maxCrashes) left = Math.min(left, 1);
      }
      if (left > 0 && (left -= 1) === 0) rest();
    },
    end() {
      starts = 0;
    },
    state(held) {
      const all = new Map(entries);
      if (held !== undefined)
        for (const [position, attempt] of held)
          all.set(position, { crashes: 0, open: false, ...entries.get(position), attempt });
      return { starts, suspectLeft: suspect ? left : 0, entries: all };
    },
    merge(position, entry) {
      if (entry === undefined) entries.delete(position);
      else entries.set(position, entry);
    },
    alone(position, attempt, work) {
      const run = async () => {
        const before = entries.get(position);
        entries.set(position, { attempt, crashes: before?.crashes ?? 0, open: true });
        await store(position);
        try {
          return await work();
        } finally {
          const entry = entries.get(position);
          if (entry !== undefined) entries.set(position, { ...entry, open: false });
        }
      };
      const result = last.then(run);
      last = result.catch(() => {});
      return result;
    },
  };
}

const fresh = { attempt: 1, condemned: undefined } as const;

const killer = (position: string, crashes: number): BentoError =>
  new BentoError(
    'HANDLER',
    `core: cannot handle the message at ${position}: the process died ${crashes} times while handling nothing else. Mend its handler, then deliver it again.`,
  );
