import { type Delivery, type EventContext, headerNames, type LogFields, type Logger } from '@bento-bus/core';

/** What is being handled: a delivery as middleware gets it, or the context that a handler of a bus gets. */
export type Handled = Delivery | Pick<EventContext, 'id' | 'topic' | 'headers' | 'correlationId'>;

/**
 * A logger whose every line has the ids of a message: `messageId`, `correlationId`, `topic`, `group` if given, and `traceId` if the
 * message has a trace. Fields of a line of the same names go before.
 */
export function withMessage(logger: Logger, handled: Handled, group?: string): Logger {
  const ids = idsOf(handled, group);
  return {
    debug: (message, fields) => logger.debug(message, { ...ids, ...fields }),
    info: (message, fields) => logger.info(message, { ...ids, ...fields }),
    warn: (message, fields) => logger.warn(message, { ...ids, ...fields }),
    error: (message, fields) => logger.error(message, { ...ids, ...fields }),
  };
}

function idsOf(handled: Handled, group: string | undefined): LogFields {
  const { id: messageId, headers } = 'message' in handled ? handled.message : handled;
  const correlationId =
    'message' in handled ? (headers[headerNames.correlationId] ?? messageId) : handled.correlationId;
  const traceId = traceparent.exec(headers[headerNames.traceparent] ?? '')?.groups?.['trace'];
  return {
    messageId,
    correlationId,
    topic: handled.topic,
    ...(group !== undefined && { group }),
    ...(traceId !== undefined && { traceId }),
  };
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
const traceparent = /^[\da-f]{2}-(?<trace>[\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;
