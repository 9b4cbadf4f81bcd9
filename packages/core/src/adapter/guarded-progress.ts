import type { GuardEntry, GuardState } from './crash-guard.ts';
import { base36, formatProgress, parseProgress, unreadable } from './progress.ts';
import type { Progress } from './watermark.ts';

/**
 * Progress of a numbered source and its guard as short text, for Kafka's commit metadata: `1|<progress>|<starts>.<suspectLeft>|<entries>`, an
 * entry being its distance from the one before (the first: from the low watermark), `.attempt` and, where it has crashes, `.crashes`, with
 * `!` when it is open; numbers in base 36. Entries that do not fit into `limit` characters are left out, the highest positions
 * first, open ones and those with crashes last: their attempts would be counted from 1 again after a crash.
 */
export function formatGuarded(progress: Progress<bigint>, state: GuardState, limit: number): string {
  const head = `1|${formatProgress(progress)}|${state.starts.toString(36)}.${state.suspectLeft.toString(36)}|`;
  let room = limit - head.length;
  const kept: (readonly [bigint, GuardEntry])[] = [];
  const byWeight = [...state.entries]
    .map(([position, entry]) => [BigInt(position), entry] as const)
    .filter(([position]) => position > progress.low)
    .toSorted(([a, x], [b, y]) => weight(y) - weight(x) || (a < b ? -1 : 1));
  for (const [position, entry] of byWeight) {
    // Left of another one it is nearer; so this is the most that it takes.
    room -= formatEntry(position - progress.low, entry).length + 1;
    if (room < 0) break;
    kept.push([position, entry]);
  }
  let before = progress.low;
  const texts = kept
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([position, entry]) => {
      const text = formatEntry(position - before, entry);
      before = position;
      return text;
    });
  return head + texts.join(',');
}

/** Reads what {@link formatGuarded} wrote. Throws a `CodecError` for anything else: begin at the committed offset, with nothing known. */
export function parseGuarded(text: string): { readonly progress: Progress<bigint>; readonly state: GuardState } {
  const match = /^1\|([^|]*)\|([0-9a-z]+)\.([0-9a-z]+)\|([0-9a-z.,!]*)$/.exec(text);
  if (match === null) throw unreadable(text, 'it has another form');
  const [, progressText, starts, suspectLeft, list] = match as unknown as [string, string, string, string, string];
  const progress = parseProgress(progressText, 'bigint');
  const entries = new Map<string, GuardEntry>();
  let position = progress.low;
  for (const part of list === '' ? [] : list.split(',')) {
    const entry = /^([0-9a-z]+)\.([0-9a-z]+)(?:\.([0-9a-z]+))?(!?)$/.exec(part);
    if (entry === null) throw unreadable(text, 'it has another form');
    const [, distance, attempt, crashes = '0', open] = entry;
    position += base36(distance as string);
    entries.set(`${position}`, {
      attempt: Number.parseInt(attempt as string, 36),
      crashes: Number.parseInt(crashes, 36),
      open: open === '!',
    });
  }
  return {
    progress,
    state: { starts: Number.parseInt(starts, 36), suspectLeft: Number.parseInt(suspectLeft, 36), entries },
  };
}

const weight = ({ crashes, open }: GuardEntry): number => crashes + (open ? 1 : 0);

const formatEntry = (distance: bigint, { attempt, crashes, open }: GuardEntry): string =>
  `${distance.toString(36)}.${attempt.toString(36)}${crashes > 0 ? `.${crashes.toString(36)}` : ''}${open ? '!' : ''}`;
