import type { WireHeaders, WireValue } from '@bento-bus/core/adapter';
import type { SizedRecord } from '../publisher.ts';

// How a record waits: in the topic of the largest step that is not longer than what remains, and then in the next one.

/** Seconds: 1, 2, 4 … 131,072 (36 hours). Longer delays go through the longest more than once. */
const steps: readonly number[] = Array.from({ length: 18 }, (_, power) => 2 ** power);

const delayTopic = (seconds: number): string => `bento-delay-${seconds}s`;

/** The topics that carry what waits. */
export const delayTopics: readonly string[] = steps.map(delayTopic);

/** What could not be carried on. */
export const strandedTopic = 'bento-delay-DLQ';

/** Group of the processes that carry it on. */
export const delayGroup = 'bento-delay';

const names = { to: 'bento-to', due: 'bento-due', hop: 'bento-hop' } as const;
/** Bytes that the headers take. */
const overhead = 80;

/** A record in a topic of delay. */
export interface Waiting {
  /** Where it goes. */
  readonly to: string;
  /** When it may be delivered, and when it goes on. Epoch milliseconds. */
  readonly due: number;
  readonly at: number;
  readonly headers: WireHeaders;
}

/** Where a record goes now that is due at `due` in `to`. */
export function routeOf(
  to: string,
  record: SizedRecord,
  due: number,
  now: number,
): { readonly topic: string; readonly record: SizedRecord } {
  const left = due - now;
  if (left <= 0) return { topic: to, record };
  const step = steps.findLast((seconds) => seconds * 1_000 <= left) ?? 1;
  const hop = now + step * 1_000;
  // The last second is waited for where it is.
  const at = due - hop < 1_000 ? due : hop;
  const headers = { ...record.headers, [names.to]: to, [names.due]: String(due), [names.hop]: String(at) };
  return { topic: delayTopic(step), record: { ...record, headers, size: record.size + overhead + to.length } };
}

/** What a record of a topic of delay says; undefined: it is none of ours. */
export function readWaiting(given: WireHeaders): Waiting | undefined {
  const { [names.to]: to, [names.due]: due, [names.hop]: at, ...headers } = given;
  const waiting = { to: textOf(to), due: timeOf(due), at: timeOf(at), headers };
  return waiting.to !== '' && Number.isFinite(waiting.due) && Number.isFinite(waiting.at) ? waiting : undefined;
}

const timeOf = (value: WireHeaders[string] | undefined): number => Number(textOf(value) || Number.NaN);

function textOf(value: WireHeaders[string] | undefined): string {
  const one = (Array.isArray(value) ? value.at(-1) : value) as WireValue | undefined;
  if (one === undefined) return '';
  return typeof one === 'string' ? one : Buffer.from(one).toString();
}
