import { randomUUID } from 'node:crypto';
import { configurationError, type Logger, type MessagingAdmin, silentLogger } from '@bento-bus/core';
import { type Clock, systemClock } from '@bento-bus/core/adapter';
import { faultOfLimit } from '../time-limit.ts';
import { replyTopicPrefix } from './headers.ts';

/** Options of `withRequests`. */
export interface RequestsOptions {
  /** This service's name, as the bus has it. */
  readonly source: string;
  /**
   * Which instance of the service this is. Two that run at the same time must not have the same, or they take each other's replies. With
   * a name that stays (a pod's of a stateful set), a restarted instance uses its reply topic again.
   * @default a random UUID
   */
  readonly instance?: string;
  /** Where this instance gets its replies. @default `bento-reply-<source>-<instance>`, which is what responders allow by default */
  readonly replyTopic?: string;
  /** Makes the reply topic with one partition, and deletes it on close. Without it the transport makes it and it stays. @default none */
  readonly admin?: Pick<MessagingAdmin, 'createTopic' | 'deleteTopic' | 'deleteGroup'>;
  /** How long a request waits for its reply, where it does not say itself. Milliseconds. @default 30_000 */
  readonly timeoutMs?: number;
  /** Requests that wait for their replies, at most; one more is a `TooManyRequestsError`. @default 10_000 */
  readonly maxPending?: number;
  /** @default silentLogger */
  readonly logger?: Logger;
  /** Time of the limits; in tests the transport's. @default the machine's */
  readonly clock?: Clock;
  /** Ids of requests. @default randomUUID */
  readonly newId?: () => string;
}

export type ResolvedRequestsOptions = Required<Omit<RequestsOptions, 'admin' | 'instance' | 'source'>> &
  Pick<RequestsOptions, 'admin'>;

/** Fills in the defaults. Throws a `CONFIGURATION` error that names every fault. */
export function resolveRequestsOptions(given: RequestsOptions): ResolvedRequestsOptions {
  const { source, instance = randomUUID(), timeoutMs = 30_000, maxPending = 10_000, admin } = given;
  const faults: string[] = [];
  if (!isName(source)) faults.push("source must be this service's name, not empty");
  if (!isName(instance)) faults.push('instance must be a name, not empty');
  if (given.replyTopic !== undefined && !isName(given.replyTopic)) faults.push('replyTopic must be a name, not empty');
  const limit = faultOfLimit('timeoutMs', timeoutMs);
  if (limit !== undefined) faults.push(limit);
  if (!Number.isSafeInteger(maxPending) || maxPending < 1)
    faults.push(`maxPending must be a whole number from 1, not ${String(maxPending)}`);
  if (faults.length > 0) throw configurationError('dispatcher: cannot make requests', faults);
  return {
    replyTopic: given.replyTopic ?? `${replyTopicPrefix}${named(source)}-${named(instance)}`,
    timeoutMs,
    maxPending,
    logger: given.logger ?? silentLogger,
    clock: given.clock ?? systemClock,
    newId: given.newId ?? randomUUID,
    ...(admin && { admin }),
  };
}

const isName = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

/** As every backend takes it in the name of a topic. */
const named = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100) || 'x';
