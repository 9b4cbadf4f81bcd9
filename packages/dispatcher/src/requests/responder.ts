import { randomUUID } from 'node:crypto';
import {
  type BusEvent,
  type BusSubscribeOptions,
  type BusSubscription,
  configurationError,
  type Delivery,
  type DeliveryHandler,
  type EventContext,
  type EventDefinition,
  type EventHandler,
  headerNames,
  isBentoError,
  type Logger,
  type MaybePromise,
  type Message,
  type MessageBus,
  type Middleware,
  type SubscriptionContext,
  silentLogger,
} from '@bento-bus/core';
import {
  type Clock,
  headerText,
  isInterruption,
  isOversize,
  isRetryable,
  systemClock,
  thrownText,
} from '@bento-bus/core/adapter';
import { codeOf } from '../errors.ts';
import { faultsOfHandler } from '../options.ts';
import { type TimeLimit, withinLimit } from '../time-limit.ts';
import type { RequestDefinition } from './define-requests.ts';
import { replyTopicPrefix, replyType, requestHeaders } from './headers.ts';

/** Answers one request. What it throws goes to the asker, as code and message. */
export type RequestHandler<Output, Reply> = (
  request: BusEvent<string, Output>,
  context: EventContext,
) => MaybePromise<Reply>;

/** Options of a responder. */
export interface ResponderOptions {
  /** Which topics replies may go to, as requests name them. @default those that begin with `bento-reply-` */
  readonly mayReplyTo?: (topic: string) => boolean;
}

/** Options of {@link respond}. */
export interface RespondOptions extends BusSubscribeOptions, ResponderOptions {
  /** How long the handler may take; then its signal aborts and the asker gets `REMOTE` with the remote code `TIMEOUT`. Milliseconds. @default no limit */
  readonly timeoutMs?: number;
  /** @default silentLogger */
  readonly logger?: Logger;
  /** Time of limits; in tests the transport's. @default the machine's */
  readonly clock?: Clock;
}

/**
 * Answers requests of this definition in a group whose members share them.
 *
 * - A request whose time is over is acknowledged unhandled.
 * - When the handler takes longer than a quarter of what time is left, at most a second, the asker is told that somebody is at it.
 * - What the handler throws, and what codec or schema refuse, goes to the asker; the request is acknowledged. It is not tried again here:
 *   `retry` sees it only when the reply cannot be published. Then the delivery fails and comes again, and the handler runs again.
 * - `ABORTED`, `CLOSED` and `FENCED` are no answer: the request comes again, to another responder if there is one.
 * - A message of this type that names no topic to reply to is handled like an event.
 */
export async function respond<Output, Reply>(
  bus: MessageBus,
  definition: RequestDefinition<string, unknown, Output, Reply>,
  handler: RequestHandler<Output, NoInfer<Reply>>,
  options: RespondOptions,
): Promise<BusSubscription> {
  const { timeoutMs: ms, logger = silentLogger, clock = systemClock, mayReplyTo, ...given } = options;
  const faults = faultsOfHandler(handler, { timeoutMs: ms });
  if (faults.length > 0) throw configurationError(`dispatcher: cannot respond to "${definition.type}"`, faults);
  const limit = ms === undefined ? undefined : { ms, clock, what: `the responder of "${definition.type}"` };
  const responder = createResponder(bus, { clock, logger });
  const each = responder.handlerOf(definition, handler, { limit, ...(mayReplyTo && { mayReplyTo }) });
  return bus.subscribe([definition as EventDefinition], each, {
    ...given,
    use: [...(given.use ?? []), responder.middleware],
  });
}

/** What answers the requests of one subscription. */
export interface Responder {
  /** Innermost: drops late requests, says that one is taken, and makes replies of failures. */
  readonly middleware: Middleware;
  /** Publishes what the handler returns. */
  handlerOf<Output, Reply>(
    definition: RequestDefinition<string, unknown, Output, Reply>,
    handler: RequestHandler<Output, Reply>,
    options: ResponderOptions & { readonly limit: TimeLimit | undefined },
  ): EventHandler<BusEvent>;
}

/** Milliseconds. */
const latestTaken = 1_000;
/** Characters of an error's text. */
const longestText = 1_000;

/** The reply could not be published, which is no fault of the handler. */
class Unanswered extends Error {}

interface Asked {
  readonly id: string;
  readonly type: string;
  readonly replyTo: string;
  readonly expiresAt: number;
  readonly headers: Readonly<Record<string, string>>;
}

export function createResponder(
  bus: Pick<MessageBus, 'publish'>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Responder {
  const allowed = new Map<string, (topic: string) => boolean>();

  /** Undefined: nobody waits for a reply, or not where replies may go. */
  const askedOf = ({ topic, message }: Delivery): Asked | undefined => {
    const { id, type, headers } = message;
    const replyTo = headers[requestHeaders.replyTo];
    const mayReplyTo = allowed.get(type);
    if (replyTo === undefined || mayReplyTo === undefined) return undefined;
    if (!mayReplyTo(replyTo)) {
      logger.warn('a request names a topic that replies may not go to', { topic, type, messageId: id, replyTo });
      return undefined;
    }
    return { id, type, replyTo, headers, expiresAt: Number(headers[requestHeaders.expiresAt] ?? Number.NaN) };
  };

  const answer = async (
    asked: Asked,
    next: () => Promise<void>,
    signal: AbortSignal,
    subscription: SubscriptionContext,
  ): Promise<void> => {
    const { id: messageId, type, expiresAt } = asked;
    const left = expiresAt - subscription.now();
    if (left <= 0) {
      logger.debug('a request came after its time', { type, messageId, group: subscription.group });
      return;
    }
    const taken = (): void => {
      send(subscription, asked, { [requestHeaders.reply]: 'taken' }).catch((error: unknown) =>
        logger.debug('cannot tell that a request is taken', { type, messageId, error }),
      );
    };
    // No time in the request: as if it were long.
    const cancel = clock.schedule(taken, Number.isFinite(left) ? Math.min(left / 4, latestTaken) : latestTaken);
    try {
      await next();
    } catch (error) {
      if (error instanceof Unanswered) throw error.cause;
      if (isInterruption(error) || signal.aborted) throw error;
      logger.debug('a request failed', { type, messageId, error });
      await send(subscription, asked, {
        [requestHeaders.reply]: 'error',
        [requestHeaders.errorCode]: headerText(codeOf(error), longestText),
        [requestHeaders.error]: headerText(thrownText(error), longestText),
        [requestHeaders.retryable]: String(isRetryable(error)),
      }).catch(unlessGone);
    } finally {
      cancel();
    }
  };

  return {
    middleware:
      (next: DeliveryHandler, subscription): DeliveryHandler =>
      (delivery, signal) => {
        const asked = askedOf(delivery);
        return asked === undefined
          ? next(delivery, signal)
          : answer(asked, async () => next(delivery, signal), signal, subscription);
      },
    handlerOf(definition, handler, { mayReplyTo = isReplyTopic, limit }) {
      const { type, version, reply: schema } = definition;
      allowed.set(type, mayReplyTo);
      const handle = handler as RequestHandler<unknown, unknown>;
      return async (event, context) => {
        const reply = await (limit === undefined
          ? handle(event, context)
          : withinLimit(limit, context.signal, (signal) => handle(event, { ...context, signal })));
        const replyTo = context.headers[requestHeaders.replyTo];
        if (replyTo === undefined || !mayReplyTo(replyTo)) return;
        const to: EventDefinition = { type: replyType(type), topic: replyTo, version, schema, upcast: {} };
        const headers = { [requestHeaders.reply]: 'ok' };
        try {
          await bus.publish(to, reply, { key: context.id, headers, cause: context });
        } catch (error) {
          // What cannot be sent because of what it is fails again next time: the asker is told.
          if (isFaultOfReply(error)) throw error;
          if (!isBentoError(error, 'UNKNOWN_TOPIC')) throw new Unanswered('', { cause: error });
        }
      };
    },
  };
}

/** A reply without data: it needs no codec, and its schema does not know it. */
function send(
  subscription: SubscriptionContext,
  { id, type, replyTo, headers }: Asked,
  said: Readonly<Record<string, string>>,
): Promise<void> {
  const correlation = { [headerNames.correlationId]: headers[headerNames.correlationId] ?? id };
  const message: Message = {
    id: randomUUID(),
    type: replyType(type),
    source: subscription.group,
    time: subscription.now(),
    key: id,
    headers: { ...correlation, [headerNames.causationId]: id, ...said },
    body: null,
  };
  return subscription.publisher.publish(replyTo, [message]);
}

/** The asker has gone, with its topic. */
function unlessGone(error: unknown): void {
  if (!isBentoError(error, 'UNKNOWN_TOPIC')) throw error;
}

const isReplyTopic = (topic: string): boolean => topic.startsWith(replyTopicPrefix);

const isFaultOfReply = (error: unknown): boolean =>
  isBentoError(error, 'VALIDATION') || isBentoError(error, 'CODEC') || isOversize(error);
