// What it costs to watch: a message from publish to handled over the transport in memory, watched and not.
import { window } from '../bus-side.mjs';

/** One topic and one group; `publish(transport, message)` and `handling(handler)` are what the sides differ in. */
async function transportSide(watch, { publish, handling } = direct) {
  const { createInProcessTransport } = await import('@bento-bus/inprocess-bus');
  // Few are kept: what the collector does with 10,000 messages outweighs what is measured here.
  const own = createInProcessTransport({ retention: 1_000 });
  const transport = watch(own);
  let left = 0;
  let done;
  const handler = handling(async () => {
    left -= 1;
    if (left === 0) done();
  });
  await transport.subscribe(['orders'], handler, { group: 'bench', concurrency: 16 });
  const body = Buffer.from(JSON.stringify({ orderId: 'o-1', country: 'France', total: '59.70' }));
  // As a bus makes them.
  const message = (i) => ({
    id: `0af76519-16cd-43dd-8448-${i}`,
    type: 'order.placed',
    source: '/bench',
    time: Date.now(),
    key: `o-${i}`,
    headers: { 'content-type': 'application/json', ce_eventversion: '1', ce_correlationid: `c-${i}` },
    body,
  });
  return {
    run: async (operations) => {
      for (let published = 0; published < operations; published += window) {
        const size = Math.min(window, operations - published);
        left = size;
        const handled = new Promise((settle) => {
          done = settle;
        });
        await Promise.all(Array.from({ length: size }, (_, i) => publish(transport, 'orders', message(i))));
        await handled;
      }
    },
    close: () => own.close(),
  };
}

const direct = {
  publish: (transport, topic, message) => transport.publish(topic, [message]),
  handling: (handler) => handler,
};

const sides = async (ours, reference) => ({
  ours: ours.run,
  reference: reference.run,
  close: async () => {
    await ours.close();
    await reference.close();
  },
});

const unwatched = (transport) => transport;

const idle = {
  name: 'observability/metrics-and-idle-tracing',
  what: 'publish to the in-memory transport, 100 at a time, until all are handled, with metrics and with tracing whose API has no SDK; reference: the same without. The target is what 250 ns a message leave of the reference',
  mostNs: 250,
  sampling: { rounds: 301, sampleMs: 4 },
  async open() {
    const [otel, { createMetrics, createTracing, instrument }] = await Promise.all([
      import('@opentelemetry/api'),
      import('@bento-bus/observability'),
    ]);
    const instruments = [createTracing({ api: otel }).transport, createMetrics()];
    return sides(
      await transportSide((transport) => instrument(transport, instruments)),
      await transportSide(unwatched),
    );
  },
};

const recording = {
  name: 'observability/recording-tracing',
  what: 'the same with tracing that a real SDK records, every span, and a processor that drops them; reference: spans made, named, attributed, propagated and ended by hand with the same SDK around the same transport',
  target: 1 / 1.1,
  sampling: { rounds: 301, sampleMs: 4 },
  async open() {
    const [otel, { W3CTraceContextPropagator }, { BasicTracerProvider }, { createTracing, instrument }] =
      await Promise.all([
        import('@opentelemetry/api'),
        import('@opentelemetry/core'),
        import('@opentelemetry/sdk-trace-base'),
        import('@bento-bus/observability'),
      ]);
    const drop = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };
    otel.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [drop] }));
    otel.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    const tracing = createTracing({ api: otel });
    return sides(
      await transportSide((transport) => instrument(transport, [tracing.transport])),
      await transportSide(unwatched, byHand(otel)),
    );
  },
};

const describe = (span, { id, body, headers, key }) => {
  span.setAttribute('messaging.message.id', id);
  span.setAttribute('messaging.message.body.size', body.length);
  span.setAttribute('messaging.message.conversation_id', headers.ce_correlationid);
  span.setAttribute('bento.key', key);
};

/** What one would write around publish and handler with the API alone. */
function byHand({ SpanKind, SpanStatusCode, context, propagation, trace }) {
  const tracer = trace.getTracer('bench');
  const system = { 'messaging.system.name': 'inprocess', 'messaging.destination.name': 'orders' };
  const failed = (span) => (error) => {
    span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
    span.end();
    throw error;
  };
  const sent = { ...system, 'messaging.operation.name': 'send', 'messaging.operation.type': 'send' };
  const processed = {
    ...system,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.consumer.group.name': 'bench',
  };
  return {
    publish: (transport, topic, message) => {
      const parent = context.active();
      const span = tracer.startSpan(`send ${topic}`, { kind: SpanKind.PRODUCER, attributes: sent }, parent);
      describe(span, message);
      const headers = { ...message.headers };
      propagation.inject(trace.setSpan(parent, span), headers);
      return transport.publish(topic, [{ ...message, headers }]).then(() => span.end(), failed(span));
    },
    handling: (handler) => (delivery, signal) => {
      const { message, topic, attempt } = delivery;
      const parent = propagation.extract(context.active(), message.headers);
      const span = tracer.startSpan(`process ${topic}`, { kind: SpanKind.CONSUMER, attributes: processed }, parent);
      describe(span, message);
      span.setAttribute('bento.attempt', attempt);
      // What the handler publishes with these headers goes on from here.
      const headers = { ...message.headers };
      propagation.inject(trace.setSpan(parent, span), headers);
      const handed = { ...delivery, message: { ...message, headers } };
      return handler(handed, signal).then(() => span.end(), failed(span));
    },
  };
}

export const observability = [idle, recording];
