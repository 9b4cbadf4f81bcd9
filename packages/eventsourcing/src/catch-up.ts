import { type EventStore, isBentoError, type Position } from '@bento-bus/core';
import { type FailureLog, recordOf } from './failed-events.ts';
import { fault } from './fault.ts';
import type { EventFailure } from './fold.ts';
import { pagesOf } from './pages.ts';
import { ofStored } from './placed-event.ts';
import type { CatchUpOptions, CatchUpProgress } from './projector-options.ts';
import type { Target } from './target.ts';
import type { Verified } from './verified-progress.ts';

/** Events applied at once. */
const pageSize = 1_000;

/** A target on its way, and up to where its rows are known to be complete. */
interface Run {
  readonly target: Target;
  verified: Verified;
  /** An event has failed: what follows is applied, but the rows are no longer complete. */
  failed: boolean;
}

/** Feeds targets from the store; see `Projector.catchUp`. What was applied without a failure counts as verified. */
export async function catchUp(
  targets: readonly Target[],
  context: { readonly store: EventStore; readonly failures: FailureLog },
  options: CatchUpOptions,
): Promise<CatchUpProgress> {
  const { failures, store } = context;
  const { onProgress, signal } = options;
  const to = options.to ?? (await store.head());
  const runs: Run[] = await Promise.all(targets.map((target) => begin(target)));
  const after = options.after ?? lowest(runs);
  let progress: CatchUpProgress = { position: after, to, events: 0, failed: 0 };
  for await (const page of pagesOf(store, { after, to, size: pageSize, ...(signal && { signal }) })) {
    if (signal?.aborted) throw fault('ABORTED', 'catch up', 'the signal was aborted. Run it again to go on');
    const start = progress.position;
    const position = page.at(-1)?.position ?? start;
    const placed = page.map((event) => ofStored(event));
    const found = await Promise.all(
      runs.map(async (run): Promise<readonly EventFailure[]> => {
        // Without `after`, what is verified already is left alone.
        const known = options.after === undefined ? run.verified.position : '';
        const failed = await run.target.apply(placed.filter(({ place }) => place.position > known));
        for (const { error } of failed) if (isBentoError(error) && error.retryable) throw error;
        await failures.record(failed.map((failure) => recordOf(failure)));
        run.failed ||= failed.length > 0;
        await verify(run, start, position);
        return failed;
      }),
    );
    progress = {
      position,
      to,
      events: progress.events + page.length,
      failed: progress.failed + found.flat().length,
    };
    onProgress?.(progress);
  }
  return progress;
}

async function begin(target: Target): Promise<Run> {
  const verified = await target.verified.read();
  if (verified.generation !== undefined) return { target, verified, failed: false };
  // A rebuild was interrupted while it cleared.
  await target.clear();
  return { target, verified: await target.verified.read(), failed: false };
}

/** The rows are complete from `start` to `position`; that counts where they were known to be complete up to `start`. */
async function verify(run: Run, start: Position, position: Position): Promise<void> {
  if (run.failed || run.verified.position < start || run.verified.position >= position) return;
  run.verified = { ...run.verified, position };
  await run.target.verified.advance(run.verified);
}

/** The lowest verified position. */
export const lowest = (runs: readonly { readonly verified: Verified }[]): Position =>
  runs.map(({ verified }) => verified.position).reduce((low, position) => (position < low ? position : low));
