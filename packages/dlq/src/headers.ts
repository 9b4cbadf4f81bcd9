import { headerNames, type Message } from '@bento-bus/core';

/** Headers that retries, dead letters and redrives add to a message. Times are epoch milliseconds; everything else of the message stays. */
export const failureHeaders = {
  /** Tries so far, over all topics. */
  attempts: 'bento-attempts',
  /** Delayed retries so far. */
  delays: 'bento-delays',
  firstFailed: 'bento-first-failed',
  lastFailed: 'bento-last-failed',
  originTopic: 'bento-origin-topic',
  originPosition: 'bento-origin-position',
  originGroup: 'bento-origin-group',
  /** Why it is here: see `DeadLetterReason`. */
  reason: 'bento-reason',
  errorCode: 'bento-error-code',
  error: 'bento-error',
  stack: 'bento-error-stack',
  /** `<sequence>:<index>` of a copy of a parked message. */
  parked: 'bento-parked',
  redriven: 'bento-redriven',
  redrivenBy: 'bento-redriven-by',
  redriveRun: 'bento-redrive-run',
  /** What an edit changed: `body`, names of headers. */
  edited: 'bento-edited',
} as const;

const { redriven, redrivenBy, redriveRun, edited } = failureHeaders;
const trail: ReadonlySet<string> = new Set([redriven, redrivenBy, redriveRun, edited]);
const marks: ReadonlySet<string> = new Set(Object.values(failureHeaders).filter((name) => !trail.has(name)));

/** Headers without what earlier failures added, and without the time of the last retry. Trails of redrives stay. */
export function withoutMarks(headers: Readonly<Record<string, string>>): Record<string, string> {
  const wasDelayed = headers[failureHeaders.delays] !== undefined;
  const rest: Record<string, string> = {};
  for (const name in headers)
    if (!marks.has(name) && !(wasDelayed && name === headerNames.deliverAt)) rest[name] = headers[name] as string;
  return rest;
}

/**
 * Whether a copy is of another topic or group than those that its own topic is named after. Names can meet: `a-b` of `c` and `a` of `b-c` have
 * one retry topic and one for dead letters; each copy says whose it is.
 */
export const isOfAnother = (
  { headers }: Pick<Message, 'headers'>,
  { topic, group }: { readonly topic: string; readonly group: string },
): boolean =>
  (headers[failureHeaders.originTopic] ?? topic) !== topic || (headers[failureHeaders.originGroup] ?? group) !== group;

export const numberOf = (headers: Readonly<Record<string, string>>, name: string): number | undefined => {
  const text = headers[name];
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
};
