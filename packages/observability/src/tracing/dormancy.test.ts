import { afterEach, describe, expect, it } from '@jest/globals';
import * as otel from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { around, deliveryOf, messageOf, publish, signal } from '../../test/tracing/deliveries.ts';
import { type Recorder, startRecording } from '../../test/tracing/recorder.ts';
import { createTracing } from './create-tracing.ts';

describe('Tracing that was made before the SDK', () => {
  let recorder: Recorder | undefined;
  afterEach(() => {
    recorder?.stop();
    recorder = undefined;
  });

  it('sleeps, and finds the SDK after 256 messages at most, however many there were before', () => {
    const { transport } = createTracing({ api: otel, name: 'early' });
    for (let i = 0; i < 2_000; i += 1) publish(transport, 'orders', [messageOf(`m${i}`)]);
    const { all } = (recorder = startRecording());
    for (let i = 0; i < 257; i += 1) publish(transport, 'orders', [messageOf(`n${i}`)]);
    expect(all().length).toBeGreaterThan(0);
  });

  it('runs handlers in their span, also of subscriptions that were there before', async () => {
    const { transport } = createTracing({ api: otel, name: 'subscribed' });
    const active: (string | undefined)[] = [];
    const handle = around(transport, async () => void active.push(otel.trace.getActiveSpan()?.spanContext().spanId));
    const { one } = (recorder = startRecording({ managed: true }));
    await handle(deliveryOf(messageOf('m1')), signal);
    expect(active).toEqual([one('process orders').spanContext().spanId]);
  });
});

describe('Tracing that is suppressed for a while', () => {
  let recorder: Recorder | undefined;
  afterEach(() => {
    recorder?.stop();
    recorder = undefined;
  });

  it('is awake for what comes after, and records nothing of its own', async () => {
    const { all } = (recorder = startRecording({ managed: true }));
    const { transport } = createTracing({ api: otel, name: 'suppressed' });
    otel.context.with(suppressTracing(otel.ROOT_CONTEXT), () => {
      for (const id of ['m1', 'm2']) publish(transport, 'orders', [messageOf(id)]);
    });
    expect(all()).toEqual([]);
    publish(transport, 'orders', [messageOf('m3')]);
    await around(transport, async () => {})(deliveryOf(messageOf('m3')), signal);
    expect(all().map(({ name }) => name)).toEqual(['send orders', 'process orders']);
  });
});
