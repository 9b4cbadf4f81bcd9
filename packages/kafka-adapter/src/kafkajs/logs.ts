import type { Logger } from '@bento-bus/core';
import { type KafkaConfig, logLevel } from 'kafkajs';

/** What a user has to know of; everything else that kafkajs logs is part of its work, or reaches the user as an error. */
const worthy: readonly RegExp[] = [
  /^Offset out of range, resetting/,
  /^Consumer group received unsubscribed topics/,
  /^Response without match/,
  /^Limiting retries/,
];

/** kafkajs' log lines: `ERROR` is what it says of an ordinary retry, so their own levels mean nothing. */
export const logCreator =
  (logger: Logger): NonNullable<KafkaConfig['logCreator']> =>
  () =>
  ({ namespace, log }) => {
    const { message, timestamp: _, ...fields } = log;
    const text = `kafkajs: ${namespace === '' ? '' : `${namespace}: `}${message}`;
    if (worthy.some((pattern) => pattern.test(message))) logger.warn(text, fields);
    else logger.debug(text, fields);
  };

/** Its debug lines come by the request, and are not for users. */
export const level: logLevel = logLevel.INFO;
