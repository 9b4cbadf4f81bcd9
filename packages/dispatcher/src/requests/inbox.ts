import { type BusSubscription, headerNames, isBentoError, type MessageBus, type Middleware } from '@bento-bus/core';
import { isInterruption } from '@bento-bus/core/adapter';
import { requestHeaders } from './headers.ts';
import type { ResolvedRequestsOptions } from './options.ts';

/** What came to the reply topic. */
export interface Reply {
  /** Of the request. */
  readonly id: string | undefined;
  readonly kind: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: unknown;
}

export interface InboxHandlers {
  readonly take: (reply: Reply) => void;
  /** A reply whose bytes the codec refuses. */
  readonly unreadable: (id: string | undefined, error: unknown) => void;
  /** The subscription has ended; with a cause: by a fault. */
  readonly ended: (cause: unknown) => void;
}

/** The subscription of replies. */
export interface Inbox {
  /** Resolves when replies are received; subscribes at the first call, and again after a failure or an end by a fault. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Deletes the topic and its group, where there is an admin and anything was made. */
  remove(): Promise<void>;
}

/** Handling a reply waits for nothing but a codec. */
const concurrency = 32;
/** Milliseconds. */
const drainMs = 1_000;

export function createInbox(
  bus: MessageBus,
  { replyTopic, admin, logger }: ResolvedRequestsOptions,
  { take, unreadable, ended }: InboxHandlers,
): Inbox {
  let opening: Promise<BusSubscription> | undefined;
  let wasMade = false;

  // A reply that cannot be read must not hold up the others.
  const tolerant: Middleware = (next) => (delivery, signal) =>
    next(delivery, signal).catch((error: unknown) => {
      if (isInterruption(error)) throw error;
      unreadable(delivery.message.headers[headerNames.causationId], error);
    });

  const subscribe = async (): Promise<BusSubscription> => {
    wasMade = true;
    // Its replies are few and for one reader.
    await admin?.createTopic(replyTopic, { partitions: 1 });
    const subscription = await bus.subscribe(
      replyTopic,
      ({ data }, { headers }) =>
        take({ id: headers[headerNames.causationId], kind: headers[requestHeaders.reply], headers, data }),
      { group: replyTopic, startPosition: 'latest', concurrency, drainMs, unreadable: 'skip', use: [tolerant] },
    );
    const end = (cause?: unknown): void => {
      opening = undefined;
      if (cause !== undefined)
        logger.warn('the subscription of replies has ended', { topic: replyTopic, error: cause });
      ended(cause);
    };
    subscription.closed.then(() => end(), end);
    return subscription;
  };

  const open = async (): Promise<BusSubscription> => {
    opening ??= subscribe().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  };

  return {
    open: async () => {
      await open();
    },
    close: async () => {
      const subscription = await opening?.catch(() => undefined);
      await subscription?.close();
    },
    remove: async () => {
      if (admin === undefined || !wasMade) return;
      await admin.deleteGroup(replyTopic, [replyTopic]).catch((error: unknown) => {
        // No progress was stored, or the topic is not there.
        if (!isBentoError(error, 'UNKNOWN_GROUP') && !isBentoError(error, 'UNKNOWN_TOPIC')) throw error;
      });
      await admin.deleteTopic(replyTopic);
    },
  };
}
