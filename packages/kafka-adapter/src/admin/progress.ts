import { formatGuarded, type GuardState, parseGuarded } from '@bento-bus/core/adapter';

/** How far a group is with one partition. */
export interface GroupProgress {
  readonly partition: number;
  /** The next message to read; -1: it has not begun. */
  readonly offset: number;
  /** What is acknowledged beyond, ascending, each first to last. */
  readonly done: readonly (readonly [first: number, last: number])[];
  readonly state: GuardState | undefined;
}

/** Characters that a broker takes by default. */
const metadataLimit = 4_096;

/** Reads a committed offset and what a member of this package stored with it. */
export function progressOf(partition: number, offset: number, metadata: string): GroupProgress {
  const bare = { partition, offset, done: [], state: undefined };
  if (offset < 0 || metadata === '') return bare;
  try {
    const { progress, state } = parseGuarded(metadata);
    // An offset that somebody has set by hand counts, and what was done above it no longer.
    if (Number(progress.low) !== offset - 1) return bare;
    return { ...bare, state, done: progress.done.map(([first, last]) => [Number(first), Number(last)] as const) };
  } catch {
    return bare;
  }
}

/** The first offset from `offset` on that is not done. */
export function firstLeft({ done }: GroupProgress, offset: number): number {
  let next = offset;
  for (const [first, last] of done) if (first <= next && next <= last) next = last + 1;
  return next;
}

/** How many offsets of `from` to `end` (not included) are not done. */
export const countLeft = ({ done }: GroupProgress, from: number, end: number): number =>
  done.reduce(
    (left, [first, last]) => left - Math.max(0, Math.min(last + 1, end) - Math.max(first, from)),
    Math.max(0, end - from),
  );

export const isDone = ({ done }: GroupProgress, offset: number): boolean =>
  done.some(([first, last]) => first <= offset && offset <= last);

/** What to commit when all before `offset` is done, and beyond as it was. */
export function movedTo(
  progress: GroupProgress,
  offset: number,
): { readonly offset: number; readonly metadata: string } {
  const next = firstLeft(progress, offset);
  if (progress.state === undefined) return { offset: next, metadata: '' };
  const done = progress.done
    .filter(([first]) => first > next)
    .map(([first, last]) => [BigInt(first), BigInt(last)] as const);
  return { offset: next, metadata: formatGuarded({ low: BigInt(next - 1), done }, progress.state, metadataLimit) };
}
