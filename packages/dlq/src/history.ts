import type { Delivery, Message, SubscriptionContext } from '@bento-bus/core';
import { headerNames } from '@bento-bus/core';
import { describeError } from './failure.ts';
import { failureHeaders as names, numberOf, withoutMarks } from './headers.ts';

/** Why a message became a dead letter. */
export type DeadLetterReason = 'exhausted' | 'not-retryable' | 'lane-limit';

/** What is known of the tries of a message before this delivery; from its headers where it comes from the retry topic. */
export interface History {
  /** Tries before those of this delivery. */
  readonly attempts: number;
  /** Delayed retries so far. */
  readonly delays: number;
  readonly firstFailed: number | undefined;
  readonly originTopic: string;
  readonly originPosition: string;
}

/** A try that failed, and what came before it. */
export interface Failure {
  readonly error: unknown;
  /** Tries so far, over all topics. */
  readonly attempts: number;
  readonly delays: number;
  /** Epoch milliseconds. */
  readonly firstFailed: number;
  readonly lastFailed: number;
  readonly originTopic: string;
  readonly originPosition: string;
}

/** `isRetried`: the delivery comes from the retry topic. Foreign headers of these names on the origin count for nothing. */
export function historyOf({ topic, position, message: { headers } }: Delivery, isRetried: boolean): History {
  if (!isRetried)
    return { attempts: 0, delays: 0, firstFailed: undefined, originTopic: topic, originPosition: position };
  return {
    attempts: numberOf(headers, names.attempts) ?? 0,
    delays: numberOf(headers, names.delays) ?? 0,
    firstFailed: numberOf(headers, names.firstFailed),
    originTopic: headers[names.originTopic] ?? topic,
    originPosition: headers[names.originPosition] ?? position,
  };
}

/** This try joins what came before. The first failure of this delivery is when it began to hold its lane. */
export function failureOf(
  delivery: Delivery,
  error: unknown,
  history: History,
  subscription: SubscriptionContext,
): Failure {
  const lastFailed = subscription.now();
  const { originTopic, originPosition, delays } = history;
  return {
    error,
    attempts: history.attempts + delivery.attempt,
    delays,
    firstFailed: history.firstFailed ?? lastFailed - Math.round(subscription.lane(delivery).heldMs),
    lastFailed,
    originTopic,
    originPosition,
  };
}

/** What the origin said of itself, so that a copy finds its way back. */
export const originHeaders = (
  { originTopic, originPosition }: Pick<Failure, 'originTopic' | 'originPosition'>,
  group: string,
): Record<string, string> => ({
  [names.originTopic]: originTopic,
  [names.originPosition]: originPosition,
  [names.originGroup]: group,
});

/** The copy for the retry topic, due at `dueAt`. `brief`: without the error's text. */
export function retried(
  message: Message,
  failure: Failure,
  { group, dueAt, brief = false }: { readonly group: string; readonly dueAt: number; readonly brief?: boolean },
): Message {
  const { code, message: text } = describeError(failure.error);
  return {
    ...message,
    headers: {
      ...withoutMarks(message.headers),
      ...originHeaders(failure, group),
      [headerNames.deliverAt]: String(Math.ceil(dueAt)),
      [names.attempts]: String(failure.attempts),
      [names.delays]: String(failure.delays + 1),
      [names.firstFailed]: String(failure.firstFailed),
      [names.lastFailed]: String(failure.lastFailed),
      [names.errorCode]: code,
      ...(!brief && { [names.error]: text }),
    },
  };
}

/** The dead letter: id, key, headers and bytes of the original, and what became of it. `brief`: without the stack, for messages that are nearly too large. */
export function deadLettered(
  message: Message,
  failure: Failure,
  {
    group,
    reason,
    brief = false,
  }: { readonly group: string; readonly reason: DeadLetterReason; readonly brief?: boolean },
): Message {
  const { code, message: text, stack } = describeError(failure.error);
  return {
    ...message,
    headers: {
      ...withoutMarks(message.headers),
      ...originHeaders(failure, group),
      [names.reason]: reason,
      [names.attempts]: String(failure.attempts),
      [names.delays]: String(failure.delays),
      [names.firstFailed]: String(failure.firstFailed),
      [names.lastFailed]: String(failure.lastFailed),
      [names.errorCode]: code,
      ...(!brief && { [names.error]: text, [names.stack]: stack }),
    },
  };
}
