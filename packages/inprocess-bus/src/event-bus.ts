import { isNativeError } from 'node:util/types';
import {
  type EventBus,
  type EventDefinition,
  EventHandlersError,
  type Logger,
  type MaybePromise,
  silentLogger,
} from '@bento-bus/core';

/** Options of {@link createEventBus}. */
export interface EventBusOptions {
  /**
   * Takes the failures of one publish, after all its handlers have run; `publish` then ends well.
   * @default none: `publish` throws or rejects with the error
   */
  readonly onError?: (error: EventHandlersError, definition: EventDefinition, data: unknown) => MaybePromise<void>;
  /** Gets what `onError` itself throws, since nobody else would. @default silentLogger */
  readonly logger?: Logger;
}

type Handler = (data: unknown, definition: EventDefinition) => MaybePromise<void>;

interface Subscription {
  readonly handler: Handler;
}

const textOf = (error: unknown): string => (isNativeError(error) ? error.message : String(error));

const isThenable = (value: unknown): value is PromiseLike<void> =>
  value !== undefined && value !== null && typeof (value as { then?: unknown }).then === 'function';

/**
 * Events in process, as the port describes. Handlers are found by the definition object itself. A publish calls the handlers that
 * were subscribed when it began; what is added or taken back meanwhile counts from the next publish on.
 */
export function createEventBus(options: EventBusOptions = {}): EventBus {
  const { onError, logger = silentLogger } = options;
  const subscriptions = new Map<EventDefinition, readonly { readonly handler: Handler }[]>();

  const fail = (definition: EventDefinition, data: unknown, errors: readonly unknown[]): MaybePromise<void> => {
    // The lists are by place of the handler, so that the errors come in order; `flat` leaves the gaps out.
    const failed = errors.flat(0);
    const error = new EventHandlersError(
      `inprocess-bus: cannot handle event "${definition.type}" everywhere: ${failed.length} of its handlers failed, first: ${textOf(failed[0])}. All of them ran; \`errors\` holds what each threw.`,
      failed,
    );
    if (onError === undefined) throw error;
    const lost = (cause: unknown): void =>
      logger.error(`inprocess-bus: cannot report failed handlers of "${definition.type}": onError failed itself.`, {
        error: cause,
        failed: error,
      });
    try {
      const reported = onError(error, definition, data);
      if (isThenable(reported)) return Promise.resolve(reported).catch(lost);
    } catch (cause) {
      lost(cause);
    }
  };

  // Async functions cost less here than `then`; one handler's promise needs neither list nor Promise.all.
  const alone = async (pending: PromiseLike<void>, definition: EventDefinition, data: unknown): Promise<void> => {
    try {
      await pending;
    } catch (error) {
      await fail(definition, data, [error]);
    }
  };

  const together = async (
    pending: readonly Promise<void>[],
    errors: unknown[],
    definition: EventDefinition,
    data: unknown,
  ): Promise<void> => {
    try {
      await Promise.all(pending);
    } catch {
      for (const [index, outcome] of (await Promise.allSettled(pending)).entries())
        if (outcome.status === 'rejected') errors[index] = outcome.reason;
    }
    if (errors.length > 0) await fail(definition, data, errors);
  };

  return {
    subscribe(definition, handler) {
      const subscription: Subscription = { handler: handler as Handler };
      subscriptions.set(definition, [...(subscriptions.get(definition) ?? []), subscription]);
      return () => {
        // Lists are replaced, never changed: a publish at work keeps the one it began with.
        const others = (subscriptions.get(definition) ?? []).filter((other) => other !== subscription);
        if (others.length > 0) subscriptions.set(definition, others);
        else subscriptions.delete(definition);
      };
    },
    publish(definition, data) {
      const list = subscriptions.get(definition);
      if (list === undefined) return;
      let pending: Promise<void>[] | undefined;
      let errors: unknown[] | undefined;
      for (let index = 0; index < list.length; index++) {
        try {
          const result = (list[index] as Subscription).handler(data, definition);
          if (result === undefined || !isThenable(result)) continue;
          if (list.length === 1) return alone(result, definition, data);
          // Gives a native promise back as it is; any other thenable is asked only once.
          (pending ??= [])[index] = Promise.resolve(result);
        } catch (error) {
          (errors ??= [])[index] = error;
        }
      }
      if (pending !== undefined) return together(pending, errors ?? [], definition, data);
      if (errors !== undefined) return fail(definition, data, errors);
    },
  };
}
