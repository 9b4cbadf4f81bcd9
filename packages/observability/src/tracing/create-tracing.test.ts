import type { CommandBus, EventStore, NewEvent, StreamId } from '@bento-bus/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import * as otel from '@opentelemetry/api';
import { type Recorder, startRecording } from '../../test/tracing/recorder.ts';
import { createTracing } from './create-tracing.ts';
import type { TraceApi } from './otel.ts';

/** Checked by the compiler: the API as it is published fits, whole. */
const fits: (api: typeof import('@opentelemetry/api')) => TraceApi = (api) => api;

const foreign = { trace: '0af7651916cd43dd8448eb211c80319c', span: 'b7ad6b7169203331' };
const traceparent = `00-${foreign.trace}-${foreign.span}-01`;
const stream: StreamId = { type: 'order', id: 'o-1' };
const eventOf = (id: string, metadata?: Record<string, string>): NewEvent => ({
  id,
  type: 'order.placed',
  version: 1,
  data: {},
  time: 0,
  ...(metadata && { metadata }),
});

class Place {
  readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

/** A bus with private fields, as a class of an application may be. */
class Bus implements CommandBus {
  #handled = 0;
  readonly handle: () => unknown;

  constructor(handle: () => unknown) {
    this.handle = handle;
  }

  register = (): (() => void) => () => {};

  get handled(): number {
    return this.#handled;
  }

  async execute(_command: object): Promise<never> {
    this.#handled += 1;
    return (await this.handle()) as never;
  }
}

/** Takes what it gets. */
class Store implements Pick<EventStore, 'identity' | 'saveEvents' | 'head'> {
  readonly identity = 'log-1';
  readonly #saved: NewEvent[] = [];
  fault: Error | undefined;

  async head(): Promise<string> {
    return String(this.#saved.length);
  }

  async saveEvents(_: StreamId, events: readonly NewEvent[]): Promise<string> {
    if (this.fault) throw this.fault;
    this.#saved.push(...events);
    return this.head();
  }

  saved(): readonly NewEvent[] {
    return this.#saved;
  }
}

let recorder: Recorder | undefined;
afterEach(() => {
  recorder?.stop();
  recorder = undefined;
});

describe('Tracing beside the transport', () => {
  it('takes the published API as it is', () => {
    expect(createTracing({ api: fits(otel) }).currentTraceId()).toBeUndefined();
  });

  it('makes a span of what has none: with its result, its errors, and the trace of a request', async () => {
    const { one } = (recorder = startRecording({ managed: true }));
    const tracing = createTracing({ api: otel, name: 'shop' });
    const attributes = { 'http.request.method': 'POST' };
    const answer = tracing.span('POST /orders', { kind: 'server', attributes, headers: { traceparent } }, (own) => {
      own.setAttribute('http.response.status_code', 201);
      return tracing.span('inside', {}, () => tracing.currentTraceId());
    });
    expect(answer).toBe(foreign.trace);
    expect(tracing.currentTraceId()).toBeUndefined();
    const request = one('POST /orders');
    expect(request.kind).toBe(otel.SpanKind.SERVER);
    expect(request.parentSpanContext?.spanId).toBe(foreign.span);
    expect(request.attributes).toEqual({ 'http.request.method': 'POST', 'http.response.status_code': 201 });
    expect(request.instrumentationScope.name).toBe('shop');
    expect(one('inside').kind).toBe(otel.SpanKind.INTERNAL);
    expect(one('inside').parentSpanContext?.spanId).toBe(request.spanContext().spanId);

    const fault = new TypeError('no');
    expect(() =>
      tracing.span('throws', {}, () => {
        throw fault;
      }),
    ).toThrow(fault);
    await expect(tracing.span('rejects', {}, () => Promise.reject(fault))).rejects.toBe(fault);
    for (const name of ['throws', 'rejects']) {
      const { attributes: found, events, status } = one(name);
      expect(found['error.type']).toBe('TypeError');
      expect(status).toEqual({ code: otel.SpanStatusCode.ERROR, message: 'no' });
      expect(events).toHaveLength(1);
    }
  });

  it('makes a span of every command, and leaves the rest of the bus as it is', async () => {
    const { one } = (recorder = startRecording({ managed: true }));
    const tracing = createTracing({ api: otel });
    const plain = new Bus(() => tracing.span('inside', {}, () => 7));
    const bus = tracing.commandBus(plain);
    await expect(tracing.span('request', {}, () => bus.execute(new Place('o-1')))).resolves.toBe(7);
    expect(bus.handled).toBe(1);
    const command = one('execute Place');
    expect(command.attributes).toEqual({ 'bento.command': 'Place' });
    expect(command.parentSpanContext?.spanId).toBe(one('request').spanContext().spanId);
    expect(one('inside').parentSpanContext?.spanId).toBe(command.spanContext().spanId);
  });

  it('makes a span of every append and stores its place in the trace with the events', async () => {
    const { all, traceparent: nameOf } = (recorder = startRecording({ managed: true }));
    const tracing = createTracing({ api: otel });
    const plain = new Store();
    const store = tracing.eventStore(plain as Store & EventStore);
    await tracing.span('command', {}, () => store.saveEvents(stream, [eventOf('e1', { correlationId: 'c' })], 0));
    await store.saveEvents(stream, [eventOf('e2', { traceparent }), eventOf('e3')], 1);
    const [first, command, second] = all();
    expect([first?.name, second?.name]).toEqual(['append order', 'append order']);
    expect(first?.attributes).toEqual({ 'bento.stream.type': 'order', 'bento.stream.id': 'o-1' });
    expect(first?.parentSpanContext?.spanId).toBe(command?.spanContext().spanId);
    expect(second?.parentSpanContext?.spanId).toBe(foreign.span);
    expect(store.saved().map(({ metadata }) => metadata)).toEqual([
      { correlationId: 'c', traceparent: first && nameOf(first) },
      { traceparent: second && nameOf(second) },
      { traceparent: second && nameOf(second) },
    ]);
    expect(store.identity).toBe('log-1');
    await expect(store.head()).resolves.toBe('3');

    plain.fault = new RangeError('full');
    await expect(store.saveEvents(stream, [eventOf('e4')], 3)).rejects.toBe(plain.fault);
    expect(all().at(-1)?.attributes['error.type']).toBe('RangeError');
  });

  it('stores events as they are without an SDK', async () => {
    const tracing = createTracing({ api: otel });
    const store = tracing.eventStore(new Store() as Store & EventStore);
    const events = [eventOf('e1'), eventOf('e2', { traceparent })];
    await store.saveEvents(stream, events, 0);
    expect(store.saved()).toEqual(events);
    await expect(tracing.commandBus(new Bus(() => 1)).execute(new Place('o-1'))).resolves.toBe(1);
  });
});
