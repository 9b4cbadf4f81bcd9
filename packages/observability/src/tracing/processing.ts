import {
  type BatchHandler,
  type Delivery,
  type DeliveryHandler,
  isPromise,
  type Middleware,
  type SubscriptionContext,
} from '@bento-bus/core';
import { isInterruption } from '@bento-bus/core/adapter';
import type { SubscriptionWatch, Surroundings, Watched } from '../instrument.ts';
import { operations, ownAttributes } from '../names.ts';
import { type AtWork, describeLeft } from './at-work.ts';
import { describeDelivery, groupAttributes, operationAttributes } from './describe.ts';
import { fail } from './error-type.ts';
import { hasContextManager, isNothing, type Span, type StartOptions, spanKinds } from './otel.ts';
import type { TracingParts } from './parts.ts';
import { receiving } from './receiving.ts';
import { settling } from './settling.ts';

/** Spans of one subscription. */
export function watchSubscription(
  parts: TracingParts,
  { options, batch }: Watched,
  about: Surroundings,
): SubscriptionWatch {
  const { group } = options;
  const use: Middleware = (next, subscription) => processing(parts, next, subscription, about.system);
  const exhausted = settling(parts, group, about.system);
  if (!batch) return { use, exhausted };
  return { use, exhausted, batch: (handler: BatchHandler) => receiving(parts, handler, group, about.system) };
}

/**
 * One span a delivery: each try is one, a child of what its message came from. What is inside, and what comes of it, sees a message
 * that comes from this span.
 */
function processing(
  parts: TracingParts,
  next: DeliveryHandler,
  { group, origin, topic }: SubscriptionContext,
  system: string,
): DeliveryHandler {
  const { api, atWork, dormancy, propagation, tracer } = parts;
  const name = `${operations.process} ${topic}`;
  const options: StartOptions = {
    kind: spanKinds.consumer,
    attributes: { ...operationAttributes(system, operations.process, topic), ...groupAttributes(system, group) },
  };
  const isCopy = topic !== origin;
  let isManaged = hasContextManager(api);
  let isFirst = true;
  const root = api.ROOT_CONTEXT;

  return (delivery, signal) => {
    if (dormancy.pass()) return next(delivery, signal);
    const { headers } = delivery.message;
    const parent = propagation.contextOf(headers, root);
    const span = tracer.startSpan(name, options, parent);
    if (isNothing(span)) {
      dormancy.sleep();
      return next(delivery, signal);
    }
    if (isFirst) {
      // An SDK set up after the subscription brings its context manager with it.
      isManaged ||= hasContextManager(api);
      isFirst = false;
    }
    const context = api.trace.setSpan(parent, span);
    const handed = propagation.delivery(delivery, context);
    const call = (): Promise<void> =>
      isManaged ? api.context.with(context, next, undefined, handed, signal) : next(handed, signal);
    if (!span.isRecording()) return call();
    describeDelivery(span, system, delivery, isCopy);
    const inHand = atWork.add(handed.message.headers, headers, span, api.trace.getSpanContext(parent));
    return watched(parts, span, call, inHand, handed);
  };
}

function watched(
  { atWork }: TracingParts,
  span: Span,
  call: () => Promise<void>,
  inHand: AtWork | undefined,
  { message }: Delivery,
): Promise<void> {
  const end = (): void => {
    if (inHand !== undefined) atWork.remove(message.headers);
    span.end();
  };
  const handled = (): void => {
    if (inHand?.left !== undefined) describeLeft(span, inHand.left);
    end();
  };
  const failed = (error: unknown): never => {
    // No fault of the message, which comes again.
    if (isInterruption(error)) span.setAttribute(ownAttributes.outcome, 'aborted');
    else fail(span, error);
    end();
    throw error;
  };
  try {
    const outcome = call();
    if (isPromise(outcome)) return outcome.then(handled, failed);
    // A handler written in JavaScript may return none.
    handled();
    return outcome;
  } catch (error) {
    return failed(error);
  }
}
