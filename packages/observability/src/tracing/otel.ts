/*
 * What tracing uses of `@opentelemetry/api` 1.9, so that this package neither needs nor pins it: `import * as otel from
 * '@opentelemetry/api'` is a `TraceApi`. Methods, and not fields that hold functions: only these are compared loosely enough.
 */

/** A place in a trace. Opaque. */
export interface TraceContext {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): TraceContext;
}

/** The ids of a span. */
export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

/** Attributes of a span or a link. */
export type SpanAttributes = Record<string, string | number | boolean | undefined>;

/** A span that this one has to do with, beside its parent. */
export interface SpanLink {
  context: SpanContext;
  attributes?: SpanAttributes;
}

/** A span under way. */
export interface Span {
  spanContext(): SpanContext;
  setAttribute(key: string, value: string | number | boolean): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  recordException(exception: Error | string): void;
  /** Since 1.9 of the API. */
  addLink?(link: SpanLink): unknown;
  isRecording(): boolean;
  end(): void;
}

/** How a span begins. */
export interface StartOptions {
  kind?: number;
  attributes?: SpanAttributes;
  links?: SpanLink[];
}

/** Makes spans. */
export interface Tracer {
  startSpan(name: string, options?: StartOptions, context?: TraceContext): Span;
}

/** Writes one field of a carrier. */
export interface CarrierSetter {
  set(carrier: Record<string, string>, key: string, value: string): void;
}

/** `@opentelemetry/api`. Without an SDK behind it nothing is recorded and nothing is written to messages. */
export interface TraceApi {
  readonly ROOT_CONTEXT: TraceContext;
  readonly context: {
    active(): TraceContext;
    with<A extends unknown[], R>(context: TraceContext, fn: (...args: A) => R, thisArg: undefined, ...args: A): R;
  };
  readonly propagation: {
    inject(context: TraceContext, carrier: Record<string, string>, setter: CarrierSetter): void;
    extract(context: TraceContext, carrier: Carrier): TraceContext;
  };
  readonly trace: {
    getTracer(name: string, version?: string): Tracer;
    setSpan(context: TraceContext, span: Span): TraceContext;
    getSpanContext(context: TraceContext): SpanContext | undefined;
  };
}

/** What a trace arrives in: headers of a message or of an HTTP request. */
export type Carrier = Readonly<Record<string, string | string[] | undefined>>;

/** What a span stands for, see the API's `SpanKind`. */
export type SpanKindName = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** `SpanKind` of the API. */
export const spanKinds: Readonly<Record<SpanKindName, number>> = {
  internal: 0,
  server: 1,
  client: 2,
  producer: 3,
  consumer: 4,
};

/** `SpanStatusCode.ERROR` of the API. */
export const statusError = 2;

const invalidTraceId = '0'.repeat(32);

/** Whether this is a place in a trace. */
export const isPlace = ({ traceId }: SpanContext): boolean => traceId !== invalidTraceId;

/** A span of an API without an SDK, or of one that is told to be silent. */
export const isNothing = (span: Span): boolean => !isPlace(span.spanContext());

/** Whether `context.with` does anything. Without a context manager it costs for nothing. */
export function hasContextManager({ ROOT_CONTEXT, context }: TraceApi): boolean {
  const probe = ROOT_CONTEXT.setValue(Symbol('bento.probe'), true);
  return context.with(probe, () => context.active() === probe, undefined);
}
