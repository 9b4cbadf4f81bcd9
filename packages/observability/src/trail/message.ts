import { type Delivery, headerNames, type Message } from '@bento-bus/core';
import { copyHeaders } from '../copy-headers.ts';

/** Something that happened to a message. */
export interface TrailStep {
  /**
   * `'sent'`: to its topic. `'retry'`, `'dead-letter'`, `'redrive'`, `'audit'`: a copy of it, by @bento-bus/dlq. `'handled'`, `'failed'`:
   * one try of a group. `'taken'`: middleware acknowledged it after a try that failed, without a copy, as a parking does. `'exhausted'`: its
   * lane gave it up.
   */
  readonly kind: 'sent' | 'retry' | 'dead-letter' | 'redrive' | 'audit' | 'handled' | 'failed' | 'taken' | 'exhausted';
  /** Epoch milliseconds. Of a try, when it ended. */
  readonly at: number;
  /** Where it was sent to, or came from. */
  readonly topic: string;
  readonly group?: string;
  /** Tries of the group so far, over all topics. */
  readonly attempt?: number;
  readonly durationMs?: number;
  readonly errorCode?: string;
  /** Also of a send that the backend did not confirm. */
  readonly error?: string;
  /** As `Delivery.position`, where it was read from the backend. */
  readonly position?: string;
}

/** One message, and what happened to it. */
export interface TrailMessage {
  readonly id: string;
  readonly type: string;
  /** The first that it was seen on. */
  readonly topic: string;
  readonly key?: string;
  /** Of an event, where its store has it. */
  readonly stream?: { readonly type: string; readonly id: string; readonly version: number };
  /** Its own id where it began a flow. */
  readonly correlationId: string;
  /** Id of the message or command that caused it. */
  readonly causationId?: string;
  readonly traceId?: string;
  /** The message's own. Epoch milliseconds. */
  readonly time: number;
  /** In the order in which they were seen. */
  readonly steps: readonly TrailStep[];
  /** Steps that are no longer kept: there were too many. */
  readonly forgotten: number;
}

/** What a message says of itself, made in one literal: this happens for each message. */
export interface Facts {
  readonly id: string;
  readonly type: string;
  readonly topic: string;
  readonly key: string | undefined;
  readonly time: number;
  readonly correlationId: string;
  readonly causationId: string | undefined;
  readonly traceparent: string | undefined;
  readonly streamType: string | undefined;
  readonly streamId: string | undefined;
  readonly streamVersion: string | undefined;
}

export const factsOf = ({ id, type, key, time, headers }: Message, topic: string): Facts => ({
  id,
  type,
  topic,
  key,
  time,
  correlationId: headers[headerNames.correlationId] ?? id,
  causationId: headers[headerNames.causationId],
  traceparent: headers[headerNames.traceparent],
  streamType: headers[headerNames.streamType],
  streamId: headers[headerNames.streamId],
  streamVersion: headers[headerNames.streamVersion],
});

/** As it is shown. */
export function toldOf(facts: Facts, steps: readonly TrailStep[], forgotten = 0): TrailMessage {
  const { id, type, topic, key, time, correlationId, causationId, traceparent, streamType, streamId } = facts;
  const traceId = /^[\da-f]{2}-([\da-f]{32})-/.exec(traceparent ?? '')?.[1];
  return {
    id,
    type,
    topic,
    ...(key !== undefined && { key }),
    ...(streamType !== undefined &&
      streamId !== undefined && {
        stream: { type: streamType, id: streamId, version: Number(facts.streamVersion ?? 0) },
      }),
    correlationId,
    ...(causationId !== undefined && { causationId }),
    ...(traceId !== undefined && { traceId }),
    time,
    steps,
    forgotten,
  };
}

/** Of a dead letter that a redrive looked at and put back: nothing happened to it. */
export const isPutBack = ({ headers }: Message): boolean => headers['bento-redrive-pass'] !== undefined;

/** What a message on a topic is: the message itself, or which copy. */
function copyKind(topic: string, { headers }: Message): 'sent' | 'retry' | 'dead-letter' | 'redrive' | 'audit' {
  if (topic.endsWith('-AUDIT')) return 'audit';
  if (headers[copyHeaders.reason] !== undefined) return 'dead-letter';
  if (headers[copyHeaders.delays] !== undefined || headers[copyHeaders.parked] !== undefined) return 'retry';
  return headers[copyHeaders.redriven] === undefined ? 'sent' : 'redrive';
}

/** The step that a message on a topic stands for; `at` where it says nothing of the time. */
export function placeOf(topic: string, message: Message, at: number): TrailStep {
  const { headers } = message;
  const kind = copyKind(topic, message);
  if (kind === 'sent') return { kind, at, topic };
  const { attempts, errorCode: code, error: text, originGroup } = copyHeaders;
  const [group, attempt, errorCode, error] = [originGroup, attempts, code, text].map((name) => headers[name]);
  return {
    kind,
    at,
    topic,
    ...(group !== undefined && { group }),
    ...(attempt !== undefined && { attempt: Number(attempt) }),
    ...(errorCode !== undefined && { errorCode }),
    ...(error !== undefined && { error }),
  };
}

/** Tries of the group so far, with those before the copy that is delivered. */
export const attemptOf = ({ attempt, message: { headers } }: Delivery): number =>
  headers[copyHeaders.delays] === undefined ? attempt : attempt + Number(headers[copyHeaders.attempts] ?? 0);
