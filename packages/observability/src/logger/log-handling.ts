import { type Delivery, isBentoError, type Logger, type Middleware } from '@bento-bus/core';
import { isInterruption } from '@bento-bus/core/adapter';
import { withMessage } from './with-message.ts';

/** Options of {@link logHandling}. */
export interface LogHandlingOptions {
  readonly logger: Logger;
}

/**
 * Middleware that logs each handling with the ids of its message, its `attempt` and its `position`: what failed as a warning with the
 * error and its `code`, what succeeded at debug. What was only interrupted, and comes again by itself, is no warning.
 */
export function logHandling({ logger }: LogHandlingOptions): Middleware {
  return (next, { group }) =>
    async (delivery, signal) => {
      try {
        await next(delivery, signal);
      } catch (error) {
        const lines = withMessage(logger, delivery, group);
        if (isInterruption(error)) lines.debug('handling was interrupted', placeOf(delivery));
        else lines.warn('handling failed', { ...placeOf(delivery), ...codeOf(error), error });
        throw error;
      }
      withMessage(logger, delivery, group).debug('handled', placeOf(delivery));
    };
}

const placeOf = ({ attempt, position, message: { type } }: Delivery) => ({ type, attempt, position });

const codeOf = (error: unknown) => (isBentoError(error) ? { code: error.code } : {});
