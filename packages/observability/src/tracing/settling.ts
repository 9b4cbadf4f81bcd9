import type { Delivery } from '@bento-bus/core';
import { operations, ownAttributes } from '../names.ts';
import { describeLeft } from './at-work.ts';
import { describeMessage, groupAttributes, operationAttributes } from './describe.ts';
import { fail } from './error-type.ts';
import { isNothing, spanKinds } from './otel.ts';
import type { TracingParts } from './parts.ts';

type Take = (delivery: Delivery, reason: unknown) => Promise<void>;

/**
 * Around the hook that takes what its lane holds no longer: a child of what the message came from, and the parent of the copies that the
 * hook makes. `bento.outcome`: `retry`, `dead-letter`, `taken` (acknowledged in another way) or `kept` (the lane keeps it).
 */
export function settling(parts: TracingParts, group: string, system: string): (take: Take) => Take {
  const { api, atWork, propagation, tracer } = parts;
  return (take) => async (delivery, reason) => {
    const { message, topic } = delivery;
    const parent = propagation.contextOf(message.headers, api.ROOT_CONTEXT);
    const attributes = { ...operationAttributes(system, operations.settle, topic), ...groupAttributes(system, group) };
    const span = tracer.startSpan(`${operations.settle} ${topic}`, { kind: spanKinds.client, attributes }, parent);
    if (isNothing(span)) return take(delivery, reason);
    const context = api.trace.setSpan(parent, span);
    const handed = propagation.delivery(delivery, context);
    describeMessage(span, system, message);
    const inHand = atWork.add(handed.message.headers, message.headers, span, api.trace.getSpanContext(parent));
    try {
      await api.context.with(context, take, undefined, handed, reason);
      if (inHand?.left !== undefined) describeLeft(span, inHand.left);
      else span.setAttribute(ownAttributes.outcome, 'taken');
    } catch (error) {
      span.setAttribute(ownAttributes.outcome, 'kept');
      // Rejecting with the reason itself asks for another try, and is no fault of the hook.
      if (error !== reason) fail(span, error);
      throw error;
    } finally {
      if (inHand !== undefined) atWork.remove(handed.message.headers);
      span.end();
    }
  };
}
