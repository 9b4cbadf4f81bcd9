import { type Delivery, headerNames, type Message } from '@bento-bus/core';
import { copyHeaders } from '../copy-headers.ts';
import { attributes, type operations, ownAttributes } from '../names.ts';
import type { Span, SpanAttributes } from './otel.ts';

/** What is the same for every span of one operation on one topic. `topic` undefined: on several. */
export function operationAttributes(
  system: string,
  operation: (typeof operations)[keyof typeof operations],
  topic: string | undefined,
): SpanAttributes {
  return {
    [attributes.system]: system,
    [attributes.operationName]: operation,
    [attributes.operationType]: operation,
    ...(topic !== undefined && { [attributes.destination]: topic }),
  };
}

/** Of a consumer: Pulsar calls its groups subscriptions. */
export const groupAttributes = (system: string, group: string): SpanAttributes => ({
  [attributes.consumerGroup]: group,
  ...(system === 'pulsar' && { [attributes.subscription]: group }),
});

/** What a message says of itself. */
export function describeMessage(span: Span, system: string, { body, headers, id, key }: Message): void {
  span.setAttribute(attributes.messageId, id);
  span.setAttribute(attributes.bodySize, body === null ? 0 : body.byteLength);
  const conversation = headers[headerNames.correlationId];
  if (conversation !== undefined) span.setAttribute(attributes.conversationId, conversation);
  const causation = headers[headerNames.causationId];
  if (causation !== undefined) span.setAttribute(ownAttributes.causationId, causation);
  if (key !== undefined && system === 'kafka') span.setAttribute(attributes.kafkaKey, key);
}

/** What is known of one delivery. `isCopy`: it comes from a retry topic, whose header says how often it was tried before. */
export function describeDelivery(span: Span, system: string, delivery: Delivery, isCopy: boolean): void {
  const { attempt, message, position } = delivery;
  describeMessage(span, system, message);
  const before = isCopy ? Number(message.headers[copyHeaders.attempts] ?? 0) : 0;
  span.setAttribute(ownAttributes.attempt, before > 0 ? before + attempt : attempt);
  const run = message.headers[copyHeaders.redriveRun];
  if (run !== undefined) span.setAttribute(ownAttributes.redriveRun, run);
  if (system === 'kafka') describeOffset(span, position);
}

/** Kafka's positions are `partition@offset`. Those of other backends say nothing of a partition. */
function describeOffset(span: Span, position: string): void {
  const at = position.indexOf('@');
  if (at < 1) return;
  span.setAttribute(attributes.partition, position.slice(0, at));
  span.setAttribute(attributes.kafkaOffset, Number(position.slice(at + 1)));
}
