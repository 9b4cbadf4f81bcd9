import {
  BentoError,
  configurationError,
  isPromise,
  type MessageBus,
  type PublishOptions,
  validate,
} from '@bento-bus/core';
import { closeAll, closeOnce } from '@bento-bus/core/adapter';
import { followAbort } from '../abort-followers.ts';
import { TooManyRequestsError } from '../errors.ts';
import { faultOfLimit } from '../time-limit.ts';
import type { RequestDefinition } from './define-requests.ts';
import { requestHeaders } from './headers.ts';
import { createInbox, type Reply } from './inbox.ts';
import { type RequestsOptions, resolveRequestsOptions } from './options.ts';
import { lateError, type Pending, remoteError } from './pending.ts';

/** Options of one request. */
export interface RequestOptions extends Pick<PublishOptions, 'key' | 'headers' | 'cause'> {
  /** How long to wait for the reply, from the call on. Milliseconds. @default the bus's */
  readonly timeoutMs?: number;
  /** Ends the wait, not what the responder does. */
  readonly signal?: AbortSignal;
}

/** A message bus that can ask. */
export interface RequestBus extends MessageBus {
  /**
   * Publishes a request and resolves with its reply, validated. Rejects, beside what `publish` rejects with:
   *
   * - `NO_RESPONDER`: nobody took it in time; `TIMEOUT`: somebody did, and was not done. Both retryable; it may still be handled.
   * - `REMOTE`, a `RemoteError`: who took it failed.
   * - `VALIDATION` or `CODEC`: the reply cannot be read.
   * - `ABORTED`: `signal` did; `CLOSED`: this bus did; `PUBLISH`, a `TooManyRequestsError`: too many wait.
   *
   * A request may be handled twice, as every message; the first reply counts.
   */
  request<Input, ReplyData>(
    definition: RequestDefinition<string, Input, unknown, unknown, ReplyData>,
    data: NoInfer<Input>,
    options?: RequestOptions,
  ): Promise<ReplyData>;
}

/**
 * A bus that asks, over any message bus. Replies come to a topic of this instance, subscribed to once, by the first request: what others
 * do, start or end has no part in it. Closing rejects what waits with `CLOSED`, ends the subscription of replies, deletes the reply
 * topic where `admin` was given, and closes `bus`. An instance that is killed leaves its reply topic behind. Throws `CONFIGURATION`.
 */
export function withRequests(bus: MessageBus, options: RequestsOptions): RequestBus {
  const resolved = resolveRequestsOptions(options);
  const { maxPending, logger, clock, newId, replyTopic } = resolved;
  const pending = new Map<string, Pending>();
  let closed = false;

  /** Undefined: it is settled already, or was never asked here. */
  const claim = (id: string | undefined): Pending | undefined => {
    const found = id === undefined ? undefined : pending.get(id);
    if (found === undefined || id === undefined) return undefined;
    pending.delete(id);
    found.release();
    return found;
  };
  const fail = (id: string | undefined, error: unknown): void => claim(id)?.reject(error);
  const failAll = (errorOf: (waiting: Pending) => unknown): void => {
    for (const [id, waiting] of pending) fail(id, errorOf(waiting));
  };

  const take = ({ id, kind, headers, data }: Reply): void => {
    const waiting = id === undefined ? undefined : pending.get(id);
    if (waiting === undefined) {
      logger.debug('a reply that nobody waits for', { topic: replyTopic, requestId: id });
      return;
    }
    const { type, reply } = waiting.definition;
    if (kind === 'taken') waiting.taken = true;
    else if (kind === 'error') fail(id, remoteError(type, headers));
    else if (kind === 'ok') {
      claim(id);
      try {
        const read = validate(reply, data, `dispatcher: cannot read the reply to "${type}"`);
        if (isPromise(read)) read.then(waiting.resolve, waiting.reject);
        else waiting.resolve(read);
      } catch (error) {
        waiting.reject(error);
      }
    }
  };
  const inbox = createInbox(bus, resolved, {
    take,
    unreadable: fail,
    ended: (cause) => failAll(({ definition }) => endedError(definition.type, cause)),
  });

  const ask = (definition: RequestDefinition, data: unknown, given: RequestOptions): Promise<unknown> => {
    const { type } = definition;
    const { timeoutMs = resolved.timeoutMs, signal, headers, key, cause } = given;
    if (closed) throw closedError(type);
    const fault = faultOfLimit('timeoutMs', timeoutMs);
    if (fault !== undefined) throw configurationError(`dispatcher: cannot request "${type}"`, [fault]);
    if (signal?.aborted === true) throw abortedError(type, signal.reason);
    if (pending.size >= maxPending) throw new TooManyRequestsError(type, maxPending);
    const id = newId();
    const expiresAt = clock.now() + timeoutMs;
    return new Promise((resolve, reject) => {
      const leave = signal && followAbort(signal, (reason) => fail(id, abortedError(type, reason)));
      const cancel = clock.schedule(() => fail(id, lateError(waiting)), timeoutMs);
      const release = (): void => {
        cancel();
        leave?.();
      };
      const waiting: Pending = { definition, timeoutMs, stage: 'opening', taken: false, resolve, reject, release };
      pending.set(id, waiting);
      const send = async (): Promise<void> => {
        await inbox.open();
        // It may have ended while the subscription was made.
        if (!pending.has(id)) return;
        waiting.stage = 'publishing';
        await bus.publish(definition, data, {
          id,
          headers: {
            ...headers,
            [requestHeaders.replyTo]: replyTopic,
            [requestHeaders.expiresAt]: String(Math.ceil(expiresAt)),
          },
          ...(key !== undefined && { key }),
          ...(cause !== undefined && { cause }),
        });
        waiting.stage = 'sent';
      };
      send().catch((error: unknown) => fail(id, error));
    });
  };

  return {
    publish: bus.publish.bind(bus),
    subscribe: bus.subscribe.bind(bus),
    subscribeBatch: bus.subscribeBatch.bind(bus),
    request: async <Input, ReplyData>(
      definition: RequestDefinition<string, Input, unknown, unknown, ReplyData>,
      data: Input,
      given: RequestOptions = {},
    ) => (await ask(definition, data, given)) as ReplyData,
    ...closeOnce(() => {
      closed = true;
      failAll(({ definition }) => closedError(definition.type));
      // The last first.
      return closeAll([() => bus.close(), () => inbox.remove(), () => inbox.close()]);
    }),
  };
}

const closedError = (type: string): BentoError =>
  new BentoError('CLOSED', `dispatcher: cannot request "${type}": the bus is closed. Ask before close().`);

const abortedError = (type: string, cause: unknown): BentoError =>
  new BentoError('ABORTED', `dispatcher: cannot wait for the reply to "${type}": its signal has aborted.`, true, {
    cause,
  });

const endedError = (type: string, cause: unknown): BentoError =>
  cause === undefined
    ? closedError(type)
    : new BentoError(
        'CONNECTION',
        `dispatcher: cannot get the reply to "${type}": the subscription of replies has ended. Ask again; see the cause.`,
        true,
        { cause },
      );
