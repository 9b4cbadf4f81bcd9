import * as otel from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** The spans of a test. */
export interface Recording {
  /** Those that have ended, by name; all of them without one. */
  readonly spans: (name?: string) => readonly ReadableSpan[];
  /** The span and what it comes from, up to the root. Spans that are not there end it. */
  readonly wayOf: (span: ReadableSpan) => readonly ReadableSpan[];
  readonly stop: () => void;
}

/** A real SDK that keeps its spans in memory, until `stop`. */
export function startRecording(): Recording {
  const exporter = new InMemorySpanExporter();
  otel.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  otel.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  otel.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return {
    spans: (name) => exporter.getFinishedSpans().filter((span) => name === undefined || span.name === name),
    wayOf(span) {
      const byId = new Map(exporter.getFinishedSpans().map((one) => [one.spanContext().spanId, one]));
      const way: ReadableSpan[] = [];
      for (let at: ReadableSpan | undefined = span; at; at = byId.get(at.parentSpanContext?.spanId ?? '')) way.push(at);
      return way;
    },
    stop() {
      for (const api of [otel.trace, otel.propagation, otel.context]) api.disable();
    },
  };
}
