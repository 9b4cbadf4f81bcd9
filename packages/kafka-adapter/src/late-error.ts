import { BentoError } from '@bento-bus/core';

/** It is not known whether it is stored. */
export const lateError = (topic: string, timeoutMs: number): BentoError =>
  new BentoError(
    'TIMEOUT',
    `kafka-adapter: cannot publish to "${topic}": no confirmation came within ${timeoutMs} ms. See that the brokers run; then publish it again.`,
    true,
  );
