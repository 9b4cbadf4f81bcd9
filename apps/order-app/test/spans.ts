import * as otel from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** Spans of one trace that have ended. */
export interface Recording {
  readonly of: (traceId: string) => readonly ReadableSpan[];
  readonly stop: () => void;
}

/** Sets up a real SDK, as a process does at its start. */
export function startRecording(): Recording {
  const exporter = new InMemorySpanExporter();
  otel.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  otel.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  otel.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    of: (traceId) => exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId),
    stop() {
      for (const api of [otel.trace, otel.propagation, otel.context]) api.disable();
    },
  };
}

/** Names from the span up to the first of its trace. Throws where a span between them is missing. */
export function wayOf(span: ReadableSpan, spans: readonly ReadableSpan[], root: string): string[] {
  const parent = span.parentSpanContext?.spanId;
  if (parent === root) return [span.name];
  const above = spans.find((one) => one.spanContext().spanId === parent);
  if (above === undefined)
    throw new Error(`"${span.name}" comes from nowhere: ${spans.map(({ name }) => name).join(', ')}`);
  return [span.name, ...wayOf(above, spans, root)];
}
