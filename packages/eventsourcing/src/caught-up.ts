import { setTimeout as delay } from 'node:timers/promises';
import {
  BentoError,
  type EventStore,
  isBentoError,
  type Position,
  type ReadModelStore,
  type StoredEvent,
  type StreamId,
} from '@bento-bus/core';
import { lowest } from './catch-up.ts';
import { CaughtUpTimeoutError, FailedEventsError } from './errors.ts';
import { type FailedEvent, type FailureLog, failedEvents } from './failed-events.ts';
import { fault } from './fault.ts';
import { pagesOf } from './pages.ts';
import { definitionFor, type Projection } from './projection.ts';
import { type CaughtUpOptions, type CaughtUpProgress, projectorDefaults } from './projector-options.ts';
import { rowKey } from './row-key.ts';
import { streamKey } from './streams.ts';
import type { Target } from './target.ts';
import type { Verified } from './verified-progress.ts';

/** Events compared at once. */
const pageSize = 1_000;
/** Pages that are still counted after the time is over. */
const pagesCounted = 20;
const failuresListed = 1_000;
/** Looks are rarer while nothing moves; each costs the read models a query that projections need too. */
const pollMs = { first: 5, moving: 100, still: 500 };

/** A target, and up to where its rows were found complete. */
interface Check {
  readonly target: Target;
  verified: Verified;
  failed: boolean;
}

/** What a page expects of a stream's row. */
interface Expected {
  readonly stream: StreamId;
  readonly version: number;
}

/** Waits for targets; see `Projector.caughtUp`. */
export class CaughtUp {
  readonly #store: EventStore;
  readonly #readModels: ReadModelStore;
  readonly #failures: FailureLog;
  readonly #options: CaughtUpOptions;
  readonly #timeoutMs: number;
  readonly #deadline: number;
  readonly #failed: FailedEvent[] = [];
  /** Failed streams by projection and stream. */
  readonly #failedKeys = new Set<string>();
  #progress: CaughtUpProgress;

  constructor(
    context: { readonly store: EventStore; readonly readModels: ReadModelStore; readonly failures: FailureLog },
    options: CaughtUpOptions,
  ) {
    this.#store = context.store;
    this.#readModels = context.readModels;
    this.#failures = context.failures;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? projectorDefaults.timeoutMs;
    this.#deadline = performance.now() + this.#timeoutMs;
    this.#progress = { position: '', to: options.to, events: 0, behind: 0 };
  }

  async wait(targets: readonly Target[]): Promise<void> {
    const checks: Check[] = await Promise.all(
      targets.map(async (target) => ({ target, verified: await target.verified.read(), failed: false })),
    );
    this.#report({ position: lowest(checks) });
    for await (const page of this.#pages(lowest(checks))) {
      const position = page.at(-1)?.position ?? '';
      for (const check of checks) await this.#waitFor(check, page, position);
      this.#report({ position, events: this.#progress.events + page.length });
    }
    if (this.#failedKeys.size > 0) throw new FailedEventsError(this.#failed, this.#failedKeys.size);
  }

  async #waitFor(check: Check, page: readonly StoredEvent[], position: Position): Promise<void> {
    const { projection, verified } = check.target;
    if (check.verified.position >= position) return;
    const expected = expectedOf(projection, page, check.verified.position);
    let pause = pollMs.first;
    for (;;) {
      const before = expected.size;
      const versions = await this.#dropReached(projection, expected);
      if (expected.size === 0) break;
      const failed = (await this.#failures.find(projection, streamsOf(expected))).filter((failure) => {
        const key = streamKey({ type: failure.streamType, id: failure.streamId });
        const version = expected.get(key)?.version ?? 0;
        return failure.streamVersion <= version && failure.streamVersion > (versions.get(key) ?? 0);
      });
      if (failed.length === expected.size) {
        check.failed = true;
        this.#note(failed);
        break;
      }
      this.#report({ behind: expected.size });
      if (performance.now() >= this.#deadline) {
        this.#note(failed);
        throw await this.#late(projection, new Set(expected.keys()), position);
      }
      await this.#pause(pause);
      pause = Math.min(pause * 2, expected.size < before ? pollMs.moving : pollMs.still);
    }
    this.#report({ behind: 0 });
    if (check.failed) return;
    check.verified = { ...check.verified, position };
    await verified.advance(check.verified);
  }

  /** Takes out the streams whose rows are there; resolves with the versions of the others. */
  async #dropReached(projection: Projection, expected: Map<string, Expected>): Promise<Map<string, number>> {
    const { model } = projection;
    const streams = streamsOf(expected);
    const keys = streams.map((stream) => projection.key(stream));
    const rows = await this.#readModels.get(model, keys);
    const found = new Map(rows.map(({ row, streamVersion }) => [rowKey(model, row), streamVersion]));
    const versions = new Map<string, number>();
    for (const [index, stream] of streams.entries()) {
      const key = streamKey(stream);
      const version = found.get(rowKey(model, keys[index] ?? {})) ?? 0;
      if (version >= (expected.get(key)?.version ?? 0)) expected.delete(key);
      else versions.set(key, version);
    }
    return versions;
  }

  #note(failures: readonly FailedEvent[]): void {
    for (const failure of failures.toSorted((a, b) => (a.position < b.position ? -1 : 1))) {
      const key = rowKey(failedEvents, failure);
      if (!this.#failedKeys.has(key) && this.#failed.length < failuresListed) this.#failed.push(failure);
      this.#failedKeys.add(key);
    }
  }

  /** The error for when time is over; counts on, without waiting, how many are behind. */
  async #late(projection: Projection, behind: Set<string>, position: Position): Promise<BentoError> {
    if (this.#failedKeys.size > 0) return new FailedEventsError(this.#failed, this.#failedKeys.size);
    let pages = 0;
    for await (const page of this.#pages(position)) {
      pages += 1;
      if (pages > pagesCounted) break;
      const expected = expectedOf(projection, page, '');
      await this.#dropReached(projection, expected);
      for (const stream of expected.keys()) behind.add(stream);
    }
    return new CaughtUpTimeoutError(projection.name, this.#timeoutMs, behind.size, pages <= pagesCounted);
  }

  #pages(after: Position): AsyncGenerator<readonly StoredEvent[]> {
    const { signal, to } = this.#options;
    return pagesOf(this.#store, { after, to, size: pageSize, ...(signal && { signal }) });
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#options;
    const left = Math.max(1, Math.min(ms, this.#deadline - performance.now()));
    try {
      await delay(left, undefined, signal && { signal });
    } catch (cause) {
      if (isBentoError(cause)) throw cause;
      throw fault('ABORTED', 'catch up', 'the signal was aborted. Call it again to go on', { cause });
    }
  }

  #report(change: Partial<CaughtUpProgress>): void {
    this.#progress = { ...this.#progress, ...change };
    this.#options.onProgress?.(this.#progress);
  }
}

const streamsOf = (expected: ReadonlyMap<string, Expected>): StreamId[] =>
  [...expected.values()].map(({ stream }) => stream);

/** The last version of each stream that a projection handles, among the events of a page after a position. */
function expectedOf(projection: Projection, page: readonly StoredEvent[], after: Position): Map<string, Expected> {
  const expected = new Map<string, Expected>();
  for (const event of page) {
    if (event.position <= after || !definitionFor(projection, event)) continue;
    expected.set(streamKey(event.stream), { stream: event.stream, version: event.streamVersion });
  }
  return expected;
}
