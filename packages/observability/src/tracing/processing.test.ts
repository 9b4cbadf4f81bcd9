import { BentoError, type Delivery, type DeliveryHandler, type Outcome } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as otel from '@opentelemetry/api';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-base';
import {
  around,
  aroundBatch,
  deliveryOf,
  exhausted,
  messageOf,
  publish,
  signal,
} from '../../test/tracing/deliveries.ts';
import { type Recorder, startRecording } from '../../test/tracing/recorder.ts';
import { createTracing } from './create-tracing.ts';

const foreign = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const traceparent = `00-${foreign.trace}-${foreign.span}-01`;

/** Headers as `retry` adds them to its copies. */
const failure = (at: number) => ({
  'bento-last-failed': `${at}`,
  'bento-error-code': 'E_PRICE',
  'bento-attempts': '2',
});

let recorder: Recorder | undefined;
afterEach(() => {
  recorder?.stop();
  recorder = undefined;
});

describe('Spans of deliveries', () => {
  it('are children of what the message came from, and the parents of what it causes', async () => {
    const { one, traceparent: nameOf } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    let handed: Delivery | undefined;
    const handle = around(transport, async (delivery) => {
      handed = delivery;
      publish(transport, 'mails', [messageOf('m2', { traceparent: delivery.message.headers['traceparent'] ?? '' })]);
    });
    const given = deliveryOf(messageOf('m1', { traceparent, ce_correlationid: 'c1' }), { attempt: 2 });
    await handle(given, signal);
    const span = one('process orders');
    expect(span.kind).toBe(otel.SpanKind.CONSUMER);
    expect(span.parentSpanContext).toMatchObject({ traceId: foreign.trace, spanId: foreign.span });
    expect(span.attributes).toEqual({
      'messaging.system.name': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'orders',
      'messaging.consumer.group.name': 'mail',
      'messaging.message.id': 'm1',
      'messaging.message.body.size': 5,
      'messaging.message.conversation_id': 'c1',
      'messaging.kafka.message.key': 'k',
      'messaging.destination.partition.id': '3',
      'messaging.kafka.offset': 42,
      'bento.attempt': 2,
    });
    expect(span.status.code).toBe(otel.SpanStatusCode.UNSET);
    const headers = { ...given.message.headers, traceparent: nameOf(span) };
    expect(handed).toEqual({ ...given, message: { ...given.message, headers } });
    expect(one('send mails').parentSpanContext?.spanId).toBe(span.spanContext().spanId);
  });

  it('are the active span of the handler where there is a context manager', async () => {
    const { one } = (recorder = startRecording({ managed: true }));
    const tracing = createTracing({ api: otel });
    const seen: (string | undefined)[] = [];
    const handle = around(tracing.transport, async () => {
      await Promise.resolve();
      seen.push(tracing.currentTraceId());
      publish(tracing.transport, 'mails', [messageOf('m2')]);
    });
    await handle(deliveryOf(messageOf('m1', { traceparent })), signal);
    expect(seen).toEqual([foreign.trace]);
    expect(one('send mails').parentSpanContext?.spanId).toBe(one('process orders').spanContext().spanId);
  });

  it('begin a trace where the message has none, whatever is active where the subscription was opened', async () => {
    const { all } = (recorder = startRecording({ managed: true }));
    const tracing = createTracing({ api: otel });
    await tracing.span('start', {}, async () => {
      const handle = around(tracing.transport, async () => {});
      await handle(deliveryOf(messageOf('m1')), signal);
      await handle(deliveryOf(messageOf('m2', { traceparent: 'nonsense' })), signal);
    });
    const processed = all().filter(({ name }) => name === 'process orders');
    expect(processed.map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined, undefined]);
    expect(new Set(all().map((span) => span.spanContext().traceId)).size).toBe(3);
  });

  it('say what failed, also at once; what is only interrupted is no failure', async () => {
    const { all } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const faults = [
      Object.assign(new Error('no price'), { code: 'E_PRICE' }),
      new TypeError('no number'),
      'a text',
      new BentoError('ABORTED', 'core: cannot go on: it stops.', true),
    ];
    for (const fault of faults) {
      const rejects = around(transport, () => Promise.reject(fault));
      await expect(rejects(deliveryOf(messageOf('m1')), signal)).rejects.toBe(fault);
      const throws = around(transport, () => {
        throw fault;
      });
      const throwing = async (): Promise<void> => throws(deliveryOf(messageOf('m1')), signal);
      await expect(throwing()).rejects.toBe(fault);
    }
    const types = all().map(({ attributes }) => attributes['error.type']);
    expect(types).toEqual(['E_PRICE', 'E_PRICE', 'TypeError', 'TypeError', '_OTHER', '_OTHER', undefined, undefined]);
    expect(all().map(({ status }) => status.code === otel.SpanStatusCode.ERROR)).toEqual(types.map((type) => !!type));
    expect(all().map(({ events }) => events.length)).toEqual(types.map((type) => (type ? 1 : 0)));
    expect(all().at(-1)?.attributes['bento.outcome']).toBe('aborted');
  });

  it('end with handlers that return no promise, and change nothing of that', () => {
    const { one } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const nothing = around(transport, (() => undefined) as unknown as DeliveryHandler);
    expect(nothing(deliveryOf(messageOf('m1')), signal)).toBeUndefined();
    expect(one('process orders').status.code).toBe(otel.SpanStatusCode.UNSET);
  });

  it('failed when a copy left for a retry topic or the dead letters, although the lane is content', async () => {
    const { all } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const leave = (headers: Record<string, string>) =>
      around(transport, async ({ message }) => {
        publish(transport, 'elsewhere', [{ ...message, headers: { ...message.headers, ...headers } }]);
      })(deliveryOf(messageOf('m1', { ...failure(1) })), signal);
    await leave(failure(2));
    await leave({ ...failure(3), 'bento-reason': 'exhausted' });
    // A dead letter that a redrive puts back as it is.
    await leave({ ...failure(1), 'bento-reason': 'exhausted' });
    const spans = all().filter(({ name }) => name === 'process orders');
    expect(spans.map(({ attributes }) => attributes['bento.outcome'])).toEqual(['retry', 'dead-letter', undefined]);
    expect(spans.map(({ attributes }) => attributes['error.type'])).toEqual(['E_PRICE', 'E_PRICE', undefined]);
    expect(spans.map(({ status }) => status.code)).toEqual([2, 2, 0]);
  });

  it('failed as they say themselves when the copy could not be stored', async () => {
    const { one } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const fault = new RangeError('no broker');
    const handle = around(transport, async ({ message }) => {
      const headers = { ...message.headers, ...failure(2), 'bento-reason': 'exhausted' };
      publish(transport, 'orders-mail-DLQ', [{ ...message, headers }], { error: fault });
      throw fault;
    });
    await expect(handle(deliveryOf(messageOf('m1')), signal)).rejects.toBe(fault);
    for (const name of ['process orders', 'send orders-mail-DLQ'])
      expect(one(name).attributes['error.type']).toBe('RangeError');
    expect(one('process orders').attributes).not.toHaveProperty('bento.outcome');
  });

  it('count tries over all topics, and name the run that gave a dead letter back', async () => {
    const { one } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const handle = around(transport, async () => {}, {
      topic: 'orders-mail-RETRY',
      origin: 'orders',
      system: 'pulsar',
    });
    const message = messageOf('m1', { traceparent, 'bento-attempts': '3', 'bento-redrive-run': 'run-1' });
    await handle(deliveryOf(message, { topic: 'orders-mail-RETRY', position: '7:1' }), signal);
    const { attributes, parentSpanContext } = one('process orders-mail-RETRY');
    expect(parentSpanContext?.spanId).toBe(foreign.span);
    expect(attributes).toMatchObject({
      'bento.attempt': 4,
      'bento.redrive.run': 'run-1',
      'messaging.system.name': 'pulsar',
      'messaging.destination.subscription.name': 'mail',
    });
    expect(attributes).not.toHaveProperty('messaging.destination.partition.id');
  });

  it('hand on what nobody could read as it is, since it is known by its identity', async () => {
    const { one } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const handed: Delivery[] = [];
    const given = deliveryOf({ ...messageOf('m1'), raw: { headers: [] } });
    await around(transport, async (delivery) => void handed.push(delivery))(given, signal);
    expect(handed[0]).toBe(given);
    expect(one('process orders').ended).toBe(true);
  });

  it('that are sampled out are said to be so in what the message causes', async () => {
    const { all } = (recorder = startRecording({ sampler: new AlwaysOffSampler() }));
    const { transport } = createTracing({ api: otel });
    const handed: (string | undefined)[] = [];
    const handle = around(transport, async ({ message }) => void handed.push(message.headers['traceparent']));
    await handle(deliveryOf(messageOf('m1', { traceparent })), signal);
    expect(handed[0]).toMatch(new RegExp(`^00-${foreign.trace}-(?!${foreign.span})[\\da-f]{16}-00$`));
    expect(all()).toEqual([]);
  });

  it('do not exist without an SDK: the delivery is the one given', async () => {
    const { transport } = createTracing({ api: otel });
    const handed: Delivery[] = [];
    const given = deliveryOf(messageOf('m1', { traceparent }));
    await around(transport, async (delivery) => void handed.push(delivery))(given, signal);
    await exhausted(transport, async (delivery) => void handed.push(delivery))(given, new Error('no'));
    expect(handed.map((delivery) => delivery === given)).toEqual([true, true]);
  });
});

describe('Spans of batches', () => {
  it('link to where each message comes from, and the span of each message links to them', async () => {
    const { all, one } = (recorder = startRecording({ managed: true }));
    const tracing = createTracing({ api: otel });
    const seen: (string | undefined)[] = [];
    const handle = aroundBatch(tracing.transport, async (batch) => {
      seen.push(tracing.currentTraceId());
      return batch.map((_, index): Outcome => (index === 1 ? { ok: false, error: new TypeError('no') } : { ok: true }));
    });
    await handle([deliveryOf(messageOf('m1', { traceparent })), deliveryOf(messageOf('m2'))]);
    const receive = one('receive orders');
    const processed = all().filter(({ name }) => name === 'process orders');
    expect(receive.kind).toBe(otel.SpanKind.CLIENT);
    expect(receive.parentSpanContext).toBeUndefined();
    expect(receive.attributes).toMatchObject({
      'messaging.operation.type': 'receive',
      'messaging.batch.message_count': 2,
      'messaging.consumer.group.name': 'mail',
    });
    const byId = new Map(processed.map((span) => [span.attributes['messaging.message.id'], span]));
    // The second comes from nowhere: its own span begins its trace.
    const own = byId.get('m2')?.spanContext().spanId;
    expect(receive.links.map(({ context }) => context.spanId)).toEqual([foreign.span, own]);
    for (const { links } of processed)
      expect(links.map(({ context }) => context.spanId)).toEqual([receive.spanContext().spanId]);
    expect(byId.get('m1')?.parentSpanContext?.spanId).toBe(foreign.span);
    expect(byId.get('m1')?.status.code).toBe(otel.SpanStatusCode.UNSET);
    expect(byId.get('m2')?.attributes['error.type']).toBe('TypeError');
    expect(seen).toEqual([receive.spanContext().traceId]);
  });

  it('say what failed, and name no topic where there are several', async () => {
    const { one } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const handle = aroundBatch(transport, () => Promise.reject(new RangeError('all of it')));
    await handle([deliveryOf(messageOf('m1')), deliveryOf(messageOf('m2'), { topic: 'orders-mail-RETRY' })]);
    const receive = one('receive');
    expect(receive.attributes).not.toHaveProperty('messaging.destination.name');
    expect(receive.attributes['error.type']).toBe('RangeError');
    expect(one('process orders-mail-RETRY').attributes['error.type']).toBe('RangeError');
  });

  it('do not exist where nothing of the batch is recorded', async () => {
    const { all } = (recorder = startRecording({ sampler: new AlwaysOffSampler() }));
    const { transport } = createTracing({ api: otel });
    let handled = 0;
    const handle = aroundBatch(transport, async (batch) => {
      handled += batch.length;
      return batch.map(() => ({ ok: true }));
    });
    await handle([deliveryOf(messageOf('m1', { traceparent })), deliveryOf(messageOf('m2'))]);
    expect(handled).toBe(2);
    expect(all()).toEqual([]);
  });
});

describe('Spans of the hook for exhausted deliveries', () => {
  it('are children of what the message came from, and the parents of the copy, and say what became of it', async () => {
    const { all } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const reason = new Error('no price');
    const outcomes: ((delivery: Delivery) => Promise<void>)[] = [
      async ({ message }) => {
        const headers = { ...message.headers, ...failure(5), 'bento-reason': 'lane-limit' };
        publish(transport, 'orders-mail-DLQ', [{ ...message, headers }]);
      },
      async () => {},
      () => Promise.reject(reason),
      () => Promise.reject(new TypeError('the hook is broken')),
    ];
    for (const take of outcomes)
      await exhausted(transport, take)(deliveryOf(messageOf('m1', { traceparent })), reason).catch(() => {});
    const settled = all().filter(({ name }) => name === 'settle orders');
    expect(settled.map(({ attributes }) => attributes['bento.outcome'])).toEqual([
      'dead-letter',
      'taken',
      'kept',
      'kept',
    ]);
    expect(settled.map(({ attributes }) => attributes['error.type'])).toEqual([
      'E_PRICE',
      undefined,
      undefined,
      'TypeError',
    ]);
    for (const { parentSpanContext } of settled) expect(parentSpanContext?.spanId).toBe(foreign.span);
    const copy = all().find(({ name }) => name === 'send orders-mail-DLQ');
    expect(copy?.parentSpanContext?.spanId).toBe(settled[0]?.spanContext().spanId);
  });
});
