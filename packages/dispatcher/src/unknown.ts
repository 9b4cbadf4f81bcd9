import { BentoError, type Delivery, type Middleware } from '@bento-bus/core';

/**
 * What becomes of types without a handler. `'ignore'`: acknowledged and counted. `'fail'`: their handling fails, retryable, so that they
 * hold their key until a handler is there, or go the way of every failure. `'dead-letter'`: it fails for good, which `retry` of
 * @bento-bus/dlq makes a dead letter of at once.
 */
export type UnknownPolicy = 'ignore' | 'fail' | 'dead-letter';

export const unknownPolicies: readonly UnknownPolicy[] = ['ignore', 'fail', 'dead-letter'];

/** Fails what has no handler. Innermost, so that every other middleware sees the failure. */
export function refuseUnknown(policy: 'fail' | 'dead-letter', known: ReadonlySet<string>): Middleware {
  return (next, { group }) =>
    (delivery, signal) => {
      if (known.has(delivery.message.type) || isUnreadable(delivery)) return next(delivery, signal);
      const { topic, message } = delivery;
      const advice =
        policy === 'fail' ? 'It is held until one is registered' : 'It will not be tried again. Register one';
      return Promise.reject(
        new BentoError(
          'HANDLER',
          `dispatcher: cannot handle "${message.type}" of "${topic}" in group "${group}": no handler is registered for this type. ${advice}, or let such types be ignored (unknown: 'ignore').`,
          policy === 'fail',
        ),
      );
    };
}

/** Records that nobody could read have a policy of their own (`unreadable`), and no type. */
const isUnreadable = ({ message }: Delivery): boolean => message.type === 'unreadable' && message.raw !== undefined;
