import { isBentoError, type MessagingAdmin, type PeekedMessage, silentLogger, type Transport } from '@bento-bus/core';
import type { FailedFilter, FailedMessage, FailedRun, FailedRunOptions } from './operations.ts';
import type { DeadLetterFunctions, FailedPlace, Letter, OperationsParts, Parked } from './parts.ts';

const defaultLimit = 1_000;
/** Dead letters looked at for those that fit a filter, at most, a partition. */
const mostLooked = 10_000;
/** Dead letters looked at for whose they are. */
const lettersAsked = 100;
const suffix = '-DLQ';

/** Dead letters and parked messages, as one list. */
export class FailedMessages<Parking> {
  readonly #admin: MessagingAdmin;
  readonly #dlq: DeadLetterFunctions<Parking>;
  readonly #parts: OperationsParts<Parking>;
  readonly #transport: () => Promise<Transport>;
  /** Runs of one place come one after the other: two would take each other's letters. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(parts: OperationsParts<Parking>, transport: () => Promise<Transport>) {
    this.#admin = parts.admin;
    this.#dlq = parts.dlq;
    this.#parts = parts;
    this.#transport = transport;
  }

  async places(): Promise<readonly (FailedPlace & { readonly count: number })[]> {
    const found = new Map<string, FailedPlace & { readonly count: number }>();
    const add = async (place: FailedPlace): Promise<void> => {
      const name = JSON.stringify([place.topic, place.group]);
      if (!found.has(name)) found.set(name, { ...place, count: await this.#count(place) });
    };
    for (const { topic, group } of this.#parts.places ?? []) await add({ topic, group });
    for (const name of await this.#admin.listTopics({ internal: true })) {
      if (!name.endsWith(suffix) || this.#isKnown(name)) continue;
      // Names of topics and groups may both have hyphens: letters know which is which.
      for (const letter of await this.#peek(name, lettersAsked)) {
        const { originTopic: topic, group } = this.#dlq.readDeadLetter(letter);
        if (topic !== undefined && group !== undefined) await add({ topic, group });
      }
    }
    return [...found.values()].toSorted((a, b) => (`${a.topic} ${a.group}` < `${b.topic} ${b.group}` ? -1 : 1));
  }

  async list(
    { topic, group }: FailedPlace,
    filter: FailedFilter = {},
    limit: number = defaultLimit,
  ): Promise<readonly FailedMessage[]> {
    const filtered = hasFilter(filter);
    const letters = await this.#letters({ topic, group }, filtered ? mostLooked : limit);
    const parked = await this.#parked({ topic, group }, filtered ? Number.POSITIVE_INFINITY : limit);
    return [
      ...letters.filter((letter) => this.#dlq.fits(letter, filter)).map((letter) => ofLetter(letter, { topic, group })),
      ...parked
        .filter((letter) => this.#dlq.fits(letter, filter))
        .map((letter) => ofLetter(letter, { topic, group }, 'parked')),
    ].slice(0, limit);
  }

  run(action: 'redrive' | 'discard', place: FailedPlace, options: FailedRunOptions): Promise<FailedRun> {
    const name = JSON.stringify([place.topic, place.group]);
    const before = this.#turns.get(name) ?? Promise.resolve();
    const start = (): Promise<FailedRun> => this.#run(action, place, options);
    const mine = before.then(start, start);
    this.#turns.set(name, mine);
    const forget = (): void => {
      if (this.#turns.get(name) === mine) this.#turns.delete(name);
    };
    mine.then(forget, forget);
    return mine;
  }

  async #run(action: 'redrive' | 'discard', place: FailedPlace, options: FailedRunOptions): Promise<FailedRun> {
    const { dryRun = false, limit = Number.POSITIVE_INFINITY, filter = {}, onProgress, perSecond, signal } = options;
    const letters = await this.#countLetters(place);
    if (dryRun) {
      const found = await this.list(place, filter, Math.min(limit, mostLooked));
      const all = letters + (await this.#countParked(place));
      return { looked: all, done: found.length, kept: 0, complete: all <= mostLooked && found.length < limit };
    }
    // Parked messages first: the letters' run waits for more at its end.
    const run = await this.#runParked(action, place, options);
    if (run.done > 0) onProgress?.(run);
    const left = Math.min(limit - run.done, filter.ids === undefined ? letters : filter.ids.length);
    if (letters === 0 || left <= 0) return run;
    const report = await this.#dlq.redrive({
      transport: await this.#transport(),
      ...place,
      action,
      filter,
      // Known to be all: the run need not wait whether more come.
      limit: Math.max(1, left),
      logger: this.#parts.logger ?? silentLogger,
      by: this.#parts.application ?? 'bento',
      ...(perSecond !== undefined && { perSecond }),
      ...(signal !== undefined && { signal }),
      onProgress: ({ looked, done, kept }) =>
        onProgress?.({ looked: run.looked + looked, done: run.done + done, kept: run.kept + kept }),
    });
    return {
      looked: run.looked + report.looked,
      done: run.done + report.done,
      kept: run.kept + report.kept,
      complete: run.complete && (report.complete || report.done >= letters),
    };
  }

  async #runParked(
    action: 'redrive' | 'discard',
    place: FailedPlace,
    { filter = {}, limit = Number.POSITIVE_INFINITY, signal }: FailedRunOptions,
  ): Promise<FailedRun> {
    const { parking } = this.#parts;
    const count = await this.#countParked(place);
    if (parking === undefined || count === 0 || signal?.aborted === true)
      return { looked: 0, done: 0, kept: 0, complete: count === 0 };
    const chosen = hasFilter(filter)
      ? (await this.#parked(place, Number.POSITIVE_INFINITY)).filter((one) => this.#dlq.fits(one, filter))
      : limit < count
        ? await this.#parked(place, limit)
        : undefined;
    const keys = chosen?.slice(0, limit).map(({ key }) => key);
    const discardFirst = action === 'discard';
    const publisher = await this.#transport();
    const going = await this.#dlq.redriveParked({
      parking,
      publisher,
      ...place,
      ...(keys !== undefined && { keys }),
      discardFirst,
    });
    // Discarding gives the next of the key its turn: where there is none, nothing goes.
    const done = discardFirst ? (keys?.length ?? count) : going.length;
    return {
      looked: count,
      done,
      kept: 0,
      complete: (keys?.length ?? count) >= (hasFilter(filter) ? (chosen?.length ?? 0) : count),
    };
  }

  #isKnown(deadLetters: string): boolean {
    return (this.#parts.places ?? []).some(
      ({ topic, group }) => this.#dlq.deadLetterTopic(topic, group) === deadLetters,
    );
  }

  async #count(place: FailedPlace): Promise<number> {
    return (await this.#countLetters(place)) + (await this.#countParked(place));
  }

  async #countLetters({ topic, group }: FailedPlace): Promise<number> {
    const from = this.#dlq.deadLetterTopic(topic, group);
    return orElse(0, ['UNKNOWN_TOPIC'], async () =>
      orElse(undefined, ['UNKNOWN_GROUP'], () => this.#admin.describeGroup(from, this.#dlq.deadLetterGroup)).then(
        async (known) =>
          known?.backlog ??
          // Nobody has taken any: all that is stored.
          (await this.#admin.describeTopic(from)).partitions.reduce((sum, { messages }) => sum + messages, 0),
      ),
    );
  }

  async #letters(place: FailedPlace, limit: number): Promise<readonly Letter[]> {
    const found = await this.#peek(this.#dlq.deadLetterTopic(place.topic, place.group), limit);
    return found
      .filter(({ message }) => !this.#dlq.isOfAnother(message, place))
      .map((one) => this.#dlq.readDeadLetter(one));
  }

  /** Changes nothing, but for the group, which is made where nobody has: without it they are not kept. */
  #peek(topic: string, count: number): Promise<readonly PeekedMessage[]> {
    const { deadLetterGroup: group } = this.#dlq;
    const peek = (): Promise<readonly PeekedMessage[]> => this.#admin.peek(topic, group, { count });
    return orElse([], ['UNKNOWN_TOPIC'], async () => {
      try {
        return await peek();
      } catch (error) {
        if (!isBentoError(error, 'UNKNOWN_GROUP')) throw error;
        await this.#admin.createGroup(topic, group, 'earliest');
        return peek();
      }
    });
  }

  async #countParked(place: FailedPlace): Promise<number> {
    const { parking } = this.#parts;
    return parking === undefined ? 0 : this.#dlq.countParked({ parking, ...place });
  }

  /** The first that waits under each key. */
  async #parked(place: FailedPlace, limit: number): Promise<readonly (Letter & { readonly key: string })[]> {
    const { parking } = this.#parts;
    if (parking === undefined) return [];
    const heads = await this.#dlq.listParked({ parking, ...place }, limit);
    return Array.from(heads, ([key, head]) => ({ ...letterOf(head, place), key }));
  }
}

const hasFilter = (filter: FailedFilter): boolean => Object.values(filter).some((value) => value !== undefined);

/** What `work` gives, or `instead` where it fails with one of these codes. */
async function orElse<T, U>(instead: U, codes: readonly string[], work: () => Promise<T>): Promise<T | U> {
  try {
    return await work();
  } catch (error) {
    if (isBentoError(error) && codes.includes(error.code)) return instead;
    throw error;
  }
}

/** What is known of it; what is not is left out, so that it looks the same over the wire. */
const ofLetter = (
  { message, position, ...about }: Letter,
  { topic, group }: FailedPlace,
  kind: FailedMessage['kind'] = 'dead-letter',
): FailedMessage => {
  const { reason, errorCode, error, stack, attempts, firstFailed, lastFailed } = about;
  const known = Object.entries({ reason, errorCode, error, stack, attempts, firstFailed, lastFailed }).filter(
    ([, value]) => value !== undefined,
  );
  return { kind, topic, group, message, position, ...Object.fromEntries(known) };
};

const letterOf = ({ message, position, failure }: Parked, { topic, group }: FailedPlace): Letter => ({
  message,
  position,
  reason: failure?.reason,
  errorCode: failure?.code,
  error: failure?.error,
  stack: failure?.stack,
  attempts: failure?.attempts,
  firstFailed: failure?.firstFailed,
  lastFailed: failure?.lastFailed,
  originTopic: topic,
  group,
});
