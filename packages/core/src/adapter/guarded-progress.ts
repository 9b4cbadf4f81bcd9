import type { GuardEntry, GuardState } from './crash-guard.ts';
import { base36, formatProgress, parseProgress, unreadable } from './progress.ts';
import type { Progress } from './watermark.ts';

/**
 * Progress of a numbered source and its guard as short text, for Kafka's commit metadata: `1|<progress>|<starts>.<suspectLeft>|<entries>`. An
 * entry is its distance from the one before (the first: from the low watermark), `.attempt`, where there is more to say
 * `.crashes.level.open`, and `*n` where it stands for n further positions; numbers in base 36. Entries that do not fit into `limit` characters
 * are left out, the highest positions first, those with crashes or open last: their attempts would be counted from 1 again after a crash.
 */
export function formatGuarded(progress: Progress<bigint>, state: GuardState, limit: number): string {
  const head = `1|${formatProgress(progress)}|${state.starts.toString(36)}.${state.suspectLeft.toString(36)}|`;
  let room = limit - head.length;
  const kept: Run[] = [];
  for (const run of runsOf(progress.low, state).toSorted((a, b) => weight(b) - weight(a))) {
    // Behind another one its distance is shorter; so this is the most that it takes.
    room -= formatRun(progress.low, run).length + 1;
    if (room < 0) break;
    kept.push(run);
  }
  let before = progress.low;
  const texts = kept
    .toSorted((a, b) => (a.first < b.first ? -1 : 1))
    .map((run) => {
      const text = formatRun(before, run);
      before = run.last;
      return text;
    });
  return head + texts.join(',');
}

/** Reads what {@link formatGuarded} wrote. Throws a `CodecError` for anything else: begin at the committed offset, with nothing known. */
export function parseGuarded(text: string): { readonly progress: Progress<bigint>; readonly state: GuardState } {
  const match = /^1\|([^|]*)\|([0-9a-z]{1,9})\.([0-9a-z]{1,9})\|([0-9a-z.,*]*)$/.exec(text);
  if (match === null) throw unreadable(text, 'it has another form');
  const [, progressText, starts, suspectLeft, list] = match as unknown as [string, string, string, string, string];
  const progress = parseProgress(progressText, 'bigint');
  const entries = new Map<string, GuardEntry>();
  let position = progress.low;
  for (const part of list === '' ? [] : list.split(',')) {
    const fields =
      /^([0-9a-z]{1,13})\.([0-9a-z]{1,9})(?:\.([0-9a-z]{1,9})\.([0-3])\.([0-3]))?(?:\*([0-9a-z]{1,3}))?$/.exec(part);
    if (fields === null) throw unreadable(text, 'it has another form');
    const [, distance = '', attempt, crashes, level, open, more] = fields;
    const entry = {
      attempt: number36(attempt),
      crashes: number36(crashes),
      level: number36(level),
      open: number36(open),
    };
    position += base36(distance);
    entries.set(`${position}`, entry);
    for (let left = number36(more); left > 0; left -= 1) entries.set(`${(position += 1n)}`, entry);
  }
  return { progress, state: { starts: number36(starts), suspectLeft: number36(suspectLeft), entries } };
}

/** Neighbours of which the same is known. */
interface Run {
  readonly first: bigint;
  last: bigint;
  readonly entry: GuardEntry;
}

/** A run is no longer than its length in three digits, so that forged text cannot fill the memory. */
const longest = 36n ** 3n - 1n;

function runsOf(low: bigint, { entries }: GuardState): Run[] {
  const runs: Run[] = [];
  const ascending = [...entries]
    .map(([position, entry]) => [BigInt(position), entry] as const)
    .filter(([position]) => position > low)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [position, entry] of ascending) {
    const run = runs.at(-1);
    if (run !== undefined && position === run.last + 1n && position - run.first <= longest && isSame(run.entry, entry))
      run.last = position;
    else runs.push({ first: position, last: position, entry });
  }
  return runs;
}

const isSame = (a: GuardEntry, b: GuardEntry): boolean =>
  a.attempt === b.attempt && a.crashes === b.crashes && a.level === b.level && a.open === b.open;

const weight = ({ entry: { crashes, level, open } }: Run): number => 10 * crashes + level + open;

function formatRun(before: bigint, { first, last, entry }: Run): string {
  const { attempt, crashes, level, open } = entry;
  const more = crashes + level + open === 0 ? '' : `.${crashes.toString(36)}.${level}.${open}`;
  const others = first === last ? '' : `*${(last - first).toString(36)}`;
  return `${(first - before).toString(36)}.${attempt.toString(36)}${more}${others}`;
}

const number36 = (text = '0'): number => Number.parseInt(text, 36);
