import * as otel from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** What a test reads of spans that have ended. */
export interface Recorder {
  readonly all: () => readonly ReadableSpan[];
  /** The one span of this name. */
  readonly one: (name: string) => ReadableSpan;
  readonly traceparent: (span: ReadableSpan) => string;
  readonly stop: () => void;
}

/** Sets up a real SDK, as an application does at its start. */
export function startRecording(
  options: {
    readonly managed?: boolean;
    readonly sampler?: Sampler;
    readonly propagator?: otel.TextMapPropagator;
  } = {},
): Recorder {
  const { managed = false, propagator = new W3CTraceContextPropagator(), sampler } = options;
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...(sampler && { sampler }),
  });
  otel.trace.setGlobalTracerProvider(provider);
  otel.propagation.setGlobalPropagator(propagator);
  if (managed) otel.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    all: () => exporter.getFinishedSpans(),
    one(name) {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name);
      const [span] = found;
      if (span === undefined || found.length > 1) {
        const names = exporter.getFinishedSpans().map((other) => other.name);
        throw new Error(`there are ${found.length} spans "${name}" among: ${names.join(', ')}`);
      }
      return span;
    },
    traceparent: (span) => {
      const { spanId, traceFlags, traceId } = span.spanContext();
      return `00-${traceId}-${spanId}-0${traceFlags}`;
    },
    stop() {
      for (const api of [otel.trace, otel.propagation, otel.context]) api.disable();
    },
  };
}
