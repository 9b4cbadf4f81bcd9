import assert from 'node:assert/strict';
import { createJsonCodec } from '@bento-bus/codecs';
import { eventually } from '@bento-bus/conformance';
import { createMessageBus, defineEvents, defineReadModel } from '@bento-bus/core';
import { deadLetterTopic, redrive, retry, retryTopic } from '@bento-bus/dlq';
import {
  Aggregate,
  createInMemoryEventStore,
  createInMemoryReadModels,
  createProjector,
  createRelay,
  createUnitOfWork,
  defineProjection,
} from '@bento-bus/eventsourcing';
import { createCommandBus } from '@bento-bus/inprocess-bus';
import { createTracing, instrument } from '@bento-bus/observability';
import { expect, it } from '@jest/globals';
import * as otel from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base';
import { z } from 'zod';
import type { Backend } from '../support/backends.ts';
import { startRecording } from './recording.ts';

const until = (what: string, check: () => boolean): Promise<void> => eventually(check, { what, deadlineMs: 30_000 });
const source = '/delivery-tests';

const catalogueOf = (topic: string) =>
  defineEvents(
    { topic },
    { 'order.placed': { version: 1, schema: z.object({ orderId: z.string() }), key: (data) => data.orderId } },
  );

class Order extends Aggregate<ReturnType<typeof catalogueOf>> {
  static readonly streamType = 'order';
  static readonly events = catalogueOf('unused');

  place(): void {
    this.record(Order.events['order.placed'], { orderId: this.id });
  }

  protected apply(): void {
    // It decides nothing.
  }
}

class PlaceOrder {
  readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

const orders = defineReadModel({ name: 'orders', version: 1, key: ['orderId'], columns: { orderId: 'string' } });

/** What a span says of a handling. */
const tellsOf = (span: ReadableSpan | undefined) => ({
  outcome: span?.attributes['bento.outcome'],
  error: span?.attributes['error.type'],
  attempt: span?.attributes['bento.attempt'],
  run: span?.attributes['bento.redrive.run'],
});

/** One trace through everything, the same on every backend. `delayMs`: of the retry. */
export function traceScenarios(backend: Backend, delayMs: number): void {
  it('one trace leads from the request to the projection, and through retry, dead letter and redrive to the end', async () => {
    const recording = startRecording();
    try {
      const traceId = await oneTrace(backend, delayMs, recording);
      // Batches belong to no one message's trace.
      const others = recording.spans().filter((span) => span.spanContext().traceId !== traceId);
      expect(others.map(({ attributes }) => attributes['messaging.operation.type'])).toEqual(['receive']);
    } finally {
      recording.stop();
    }
  }, 60_000);
}

async function oneTrace(
  backend: Backend,
  delayMs: number,
  { spans, wayOf }: ReturnType<typeof startRecording>,
): Promise<string> {
  const tracing = createTracing({ api: otel });
  const topic = backend.topic();
  const again = retryTopic(topic, 'mail');
  const dead = deadLetterTopic(topic, 'mail');
  const mails = backend.topic();
  const events = catalogueOf(topic);
  const codec = createJsonCodec();
  const transport = instrument(await backend.open(), [tracing.transport]);

  // The request's side.
  const store = tracing.eventStore(createInMemoryEventStore());
  await using relay = createRelay({ store, transport, catalogues: [events], codec, source });
  const unitOfWork = createUnitOfWork({ store, onCommit: () => relay.wake() });
  const commands = tracing.commandBus(createCommandBus());
  commands.register(PlaceOrder, async ({ orderId }) =>
    unitOfWork.run(async (scope) => (await scope.load(Order, orderId)).place()),
  );

  // The events' side: a handler that fails until it is mended, and a projection.
  const bus = createMessageBus({ transport, codec, source });
  let isMended = false;
  const handled: (string | undefined)[] = [];
  await using _mail = await bus.subscribe(
    [events['order.placed']],
    async ({ data }, context) => {
      if (!isMended) throw Object.assign(new Error('the mail server is away'), { code: 'E_MAIL' });
      await bus.publish(mails, data, { cause: context });
      handled.push(tracing.currentTraceId());
    },
    { group: 'mail', use: [retry({ attempts: 1, delays: [delayMs] })] },
  );
  const projection = defineProjection({
    name: 'orders',
    streams: ['order'],
    events,
    model: orders,
    evolve: (_row, { data }) => data,
  });
  const projector = createProjector({ store, readModels: createInMemoryReadModels(), projections: [projection] });
  await using _projection = await projector.subscribe(transport, { group: 'read-models', codec });
  await relay.start();

  await tracing.span('POST /orders', { kind: 'server' }, () => commands.execute(new PlaceOrder('o-1')));
  await projector.caughtUp({ to: await store.head(), timeoutMs: 30_000 });
  await until('a dead letter', () => spans(`send ${dead}`).length === 1);
  isMended = true;
  const { run, done } = await redrive({ transport, topic, group: 'mail', limit: 1, idleMs: 20_000 });
  expect(done).toBe(1);
  await until('the redriven message is handled', () => spans(`process ${again}`).length === 2);

  // From the last thing that happened back to the request.
  const [caused] = spans(`send ${mails}`);
  assert.ok(caused);
  const way = wayOf(caused);
  expect(way.map(({ name }) => name)).toEqual([
    `send ${mails}`,
    `process ${again}`,
    `send ${again}`,
    `process ${dead}`,
    `send ${dead}`,
    `process ${again}`,
    `send ${again}`,
    `process ${topic}`,
    `send ${topic}`,
    'append order',
    'execute PlaceOrder',
    'POST /orders',
  ]);
  const [, last, , , , second, , first] = way;
  expect(tellsOf(first)).toEqual({ outcome: 'retry', error: 'E_MAIL', attempt: 1, run: undefined });
  expect(tellsOf(second)).toEqual({ outcome: 'dead-letter', error: 'E_MAIL', attempt: 2, run: undefined });
  expect(tellsOf(last)).toEqual({ outcome: undefined, error: undefined, attempt: 1, run });
  expect(second?.status.code).toBe(otel.SpanStatusCode.ERROR);
  expect(last?.status.code).toBe(otel.SpanStatusCode.UNSET);

  // The projection handles batches: its batch is no part of the trace, but linked to it both ways.
  const projected = spans(`process ${topic}`).find(
    ({ attributes }) => attributes['messaging.consumer.group.name'] === 'read-models',
  );
  assert.ok(projected);
  expect(wayOf(projected).map(({ name }) => name)).toEqual([
    `process ${topic}`,
    `send ${topic}`,
    'append order',
    'execute PlaceOrder',
    'POST /orders',
  ]);
  const [received] = spans(`receive ${topic}`);
  expect(projected.links.map(({ context }) => context.spanId)).toEqual([received?.spanContext().spanId]);
  expect(received?.links.map(({ context }) => context.spanId)).toEqual([projected.parentSpanContext?.spanId]);

  const { traceId } = caused.spanContext();
  expect(handled).toEqual([traceId]);
  return traceId;
}
