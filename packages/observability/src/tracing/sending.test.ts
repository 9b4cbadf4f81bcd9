import { PublishError } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as otel from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-base';
import { messageOf, publish } from '../../test/tracing/deliveries.ts';
import { type Recorder, startRecording } from '../../test/tracing/recorder.ts';
import { createTracing } from './create-tracing.ts';

const foreign = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const traceparent = `00-${foreign.trace}-${foreign.span}-01`;

describe('Spans of publishes', () => {
  let recorder: Recorder | undefined;
  afterEach(() => {
    recorder?.stop();
    recorder = undefined;
  });

  it('continue the trace that the message names, and the message names them', () => {
    const { one, traceparent: nameOf } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const given = messageOf('m1', {
      traceparent,
      tracestate: 'vendor=1',
      ce_correlationid: 'c1',
      ce_causationid: 'm0',
    });
    const [sent] = publish(transport, 'orders', [given]);
    const span = one('send orders');
    expect(span.kind).toBe(otel.SpanKind.PRODUCER);
    expect(span.parentSpanContext).toMatchObject({ traceId: foreign.trace, spanId: foreign.span });
    expect(span.attributes).toEqual({
      'messaging.system.name': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'orders',
      'messaging.message.id': 'm1',
      'messaging.message.body.size': 5,
      'messaging.message.conversation_id': 'c1',
      'bento.causation_id': 'm0',
      'messaging.kafka.message.key': 'k',
    });
    expect(sent).toEqual({
      ...given,
      headers: { ...given.headers, traceparent: nameOf(span), tracestate: 'vendor=1' },
    });
    expect(given.headers['traceparent']).toBe(traceparent);
  });

  it('are children of the active span where the message names none', () => {
    const { one } = (recorder = startRecording({ managed: true }));
    const tracing = createTracing({ api: otel });
    tracing.span('job', {}, () => publish(tracing.transport, 'orders', [messageOf('m1')]));
    expect(one('send orders').parentSpanContext?.spanId).toBe(one('job').spanContext().spanId);
  });

  it('begin a trace without a context manager, and where a traceparent is no traceparent, whose tracestate goes', () => {
    const { one } = (recorder = startRecording());
    const tracing = createTracing({ api: otel });
    const malformed = messageOf('m1', { traceparent: '00-xyz-1-01', tracestate: 'vendor=1' });
    const [sent] = tracing.span('job', {}, () => publish(tracing.transport, 'orders', [malformed]));
    const span = one('send orders');
    expect(span.parentSpanContext).toBeUndefined();
    expect(sent?.headers['traceparent']).toContain(span.spanContext().traceId);
    expect(sent?.headers['tracestate']).toBeUndefined();
  });

  it('of several messages are one a message in its own trace, and one that links to them', () => {
    const { all, one, traceparent: nameOf } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    const sent = publish(transport, 'orders', [messageOf('m1', { traceparent }), messageOf('m2')], {
      system: 'pulsar',
    });
    const created = all().filter(({ name }) => name === 'create orders');
    const send = one('send orders');
    expect(created.map(({ kind }) => kind)).toEqual([otel.SpanKind.PRODUCER, otel.SpanKind.PRODUCER]);
    expect(created.map(({ attributes }) => attributes['messaging.message.id'])).toEqual(['m1', 'm2']);
    expect(created[0]?.parentSpanContext?.spanId).toBe(foreign.span);
    expect(created[1]?.parentSpanContext).toBeUndefined();
    expect(created[0]?.attributes).not.toHaveProperty('messaging.kafka.message.key');
    expect(sent.map(({ headers }) => headers['traceparent'])).toEqual(created.map(nameOf));
    expect(send.kind).toBe(otel.SpanKind.CLIENT);
    expect(send.attributes['messaging.batch.message_count']).toBe(2);
    expect(send.links.map(({ context }) => context.spanId)).toEqual(created.map((span) => span.spanContext().spanId));
    expect(send.parentSpanContext).toBeUndefined();
  });

  it('say what failed', () => {
    const { one } = (recorder = startRecording());
    const { transport } = createTracing({ api: otel });
    publish(transport, 'orders', [messageOf('m1')], { error: new PublishError('no broker', [0], true) });
    const { attributes, events, status } = one('send orders');
    expect(attributes['error.type']).toBe('PUBLISH');
    expect(status).toEqual({ code: otel.SpanStatusCode.ERROR, message: 'no broker' });
    expect(events.map(({ name }) => name)).toEqual(['exception']);
  });

  it('leave baggage alone: it is neither written nor taken away', () => {
    const propagator = new CompositePropagator({
      propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
    });
    recorder = startRecording({ managed: true, propagator });
    const { transport } = createTracing({ api: otel });
    const baggage = otel.propagation.createBaggage({ tenant: { value: 'secret' } });
    const sent = otel.context.with(otel.propagation.setBaggage(otel.ROOT_CONTEXT, baggage), () => [
      ...publish(transport, 'orders', [messageOf('m1')]),
      ...publish(transport, 'orders', [messageOf('m2', { baggage: 'a=1', traceparent })]),
    ]);
    expect(sent.map(({ headers }) => headers['baggage'])).toEqual([undefined, 'a=1']);
    expect(sent.every(({ headers }) => headers['traceparent'] !== undefined)).toBe(true);
  });

  it('that are sampled out say so to whoever comes after', () => {
    const { all } = (recorder = startRecording({ sampler: new AlwaysOffSampler() }));
    const { transport } = createTracing({ api: otel });
    const sent = publish(transport, 'orders', [messageOf('m1'), messageOf('m2')]);
    for (const { headers } of sent) expect(headers['traceparent']).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
    expect(all()).toEqual([]);
  });

  it('do not exist without an SDK: messages are the ones given, with the trace they came with', () => {
    const { transport } = createTracing({ api: otel });
    const messages = [messageOf('m1', { traceparent, tracestate: 'vendor=1' }), messageOf('m2')];
    const about = { system: 'kafka', checkpointed: false };
    expect(transport.publishing?.('orders', messages.slice(0, 1), about)).toBeUndefined();
    expect(transport.publishing?.('orders', messages, about)).toBeUndefined();
    expect(transport.publishing?.('orders', [], about)).toBeUndefined();
  });
});
