import type { BatchHandler, Delivery } from '@bento-bus/core';
import { attributes, operations } from '../names.ts';
import { around } from './around.ts';
import { groupAttributes, operationAttributes } from './describe.ts';
import { isNothing, type SpanLink, spanKinds } from './otel.ts';
import type { TracingParts } from './parts.ts';

/**
 * One span a batch, which belongs to no one message's trace: it links to where each comes from, and the span of each links to it. Batches of
 * which nothing is recorded have none.
 */
export function receiving(parts: TracingParts, handler: BatchHandler, group: string, system: string): BatchHandler {
  const { api, atWork, tracer } = parts;
  const root = api.ROOT_CONTEXT;
  return (batch, signal) => {
    if (atWork.isEmpty) return handler(batch, signal);
    const topic = oneTopicOf(batch);
    const name = topic === undefined ? operations.receive : `${operations.receive} ${topic}`;
    const span = tracer.startSpan(
      name,
      {
        kind: spanKinds.client,
        attributes: {
          ...operationAttributes(system, operations.receive, topic),
          ...groupAttributes(system, group),
          [attributes.batchCount]: batch.length,
        },
        links: batch.flatMap((delivery) => linkTo(parts, delivery)),
      },
      root,
    );
    if (isNothing(span)) return handler(batch, signal);
    const here: SpanLink = { context: span.spanContext() };
    for (const { message } of batch) atWork.of(message.headers)?.span.addLink?.(here);
    return around(api, span, api.trace.setSpan(root, span), () => handler(batch, signal));
  };
}

function linkTo({ api, atWork, propagation }: TracingParts, { message: { headers } }: Delivery): SpanLink[] {
  const origin =
    atWork.of(headers)?.origin ?? api.trace.getSpanContext(propagation.contextOf(headers, api.ROOT_CONTEXT));
  return origin === undefined ? [] : [{ context: origin }];
}

function oneTopicOf(batch: readonly Delivery[]): string | undefined {
  const topic = batch[0]?.topic;
  return batch.every((delivery) => delivery.topic === topic) ? topic : undefined;
}
