import type { CommandBus, EventStore, NewEvent } from '@bento-bus/core';
import type { Instrument } from '../instrument.ts';
import { steady } from '../instrumented/careful.ts';
import { ownAttributes } from '../names.ts';
import { around } from './around.ts';
import { SpansAtWork } from './at-work.ts';
import { Dormancy } from './dormancy.ts';
import {
  type Carrier,
  isNothing,
  isPlace,
  type Span,
  type SpanAttributes,
  type SpanKindName,
  spanKinds,
  type TraceApi,
} from './otel.ts';
import { overriding } from './overriding.ts';
import type { TracingParts } from './parts.ts';
import { watchSubscription } from './processing.ts';
import { Propagation } from './propagation.ts';
import { Sending } from './sending.ts';

/** Options of {@link createTracing}. */
export interface TracingOptions {
  /** `import * as otel from '@opentelemetry/api'`. Without an SDK nothing is recorded, and messages travel as they are. */
  readonly api: TraceApi;
  /** Name of the tracer: the instrumentation scope. @default '@bento-bus/observability' */
  readonly name?: string;
}

/** Options of one {@link Tracing.span}. */
export interface SpanOptions {
  /** @default 'internal' */
  readonly kind?: SpanKindName;
  readonly attributes?: SpanAttributes;
  /** Headers of an HTTP request, or of a message: the span goes on with the trace that their `traceparent` names. @default the active span's */
  readonly headers?: Carrier;
}

/**
 * Traces in OpenTelemetry. The trace travels in the headers `traceparent` and `tracestate` (W3C), written and read by the API's global
 * propagator; baggage is left alone. With a context manager handlers run in their span's context; without one, give `cause: context`
 * when publishing, and the trace goes on by the headers.
 */
export interface Tracing {
  /**
   * For `instrument`. A publish is a `send` span, a child of the message's own `traceparent` or else of the active span; several messages at
   * once are one `create` span each, linked by one `send`. Every delivery is a `process` span, every batch a `receive` span with links
   * both ways; the hook for exhausted deliveries is a `settle` span. Retries, dead letters and redrives stay in the first trace.
   */
  readonly transport: Instrument;
  /** The same bus; every command is a span `execute <class>`. */
  commandBus<B extends CommandBus>(bus: B): B;
  /**
   * The same store; every append is a span `append <stream type>`: a child of the `traceparent` in the first event's metadata, else of the
   * active span. The events are stored with its place in the trace, from where the relay carries it on.
   */
  eventStore<S extends EventStore>(store: S): S;
  /**
   * Calls `fn` in a span of its own, for HTTP servers, jobs and the like. The span ends when `fn` returns or its promise settles; what it throws
   * is recorded and thrown on.
   */
  span<T>(name: string, options: SpanOptions, fn: (span: Span) => T): T;
  /** Trace of the active span: 32 hexadecimal digits. Undefined without a span, or without a context manager. */
  currentTraceId(): string | undefined;
}

/** Tracing by OpenTelemetry. Make it when the SDK is set up: an API has one tracer a name from then on. */
export function createTracing({ api, name: scope = '@bento-bus/observability' }: TracingOptions): Tracing {
  const parts: TracingParts = {
    api,
    tracer: api.trace.getTracer(scope),
    propagation: new Propagation(api),
    atWork: new SpansAtWork(),
    dormancy: new Dormancy(),
  };
  const sending = new Sending(parts);

  const span = <T>(name: string, options: SpanOptions, fn: (span: Span) => T): T => {
    const { attributes, headers, kind = 'internal' } = options;
    const active = api.context.active();
    const parent = headers === undefined ? active : api.propagation.extract(active, headers);
    const started = parts.tracer.startSpan(name, { kind: spanKinds[kind], ...(attributes && { attributes }) }, parent);
    return around(api, started, api.trace.setSpan(parent, started), () => fn(started));
  };

  return {
    transport: steady<Instrument>({
      publishing: (topic, messages, { system }) => sending.publishing(topic, messages, system),
      subscribing: (watched, about) => watchSubscription(parts, watched, about),
    }),
    commandBus<B extends CommandBus>(bus: B): B {
      const execute: CommandBus['execute'] = (command) => {
        const { name } = command.constructor;
        return span(`execute ${name}`, { attributes: { [ownAttributes.command]: name } }, () => bus.execute(command));
      };
      return overriding<CommandBus>(bus, { execute }) as B;
    },
    eventStore<S extends EventStore>(store: S): S {
      const saveEvents: EventStore['saveEvents'] = (stream, events, version) =>
        append(parts, store, [stream, events, version]);
      return overriding<EventStore>(store, { saveEvents }) as S;
    },
    span,
    currentTraceId() {
      const here = api.trace.getSpanContext(api.context.active());
      return here !== undefined && isPlace(here) ? here.traceId : undefined;
    },
  };
}

const nothing: Readonly<Record<string, string>> = {};

function append(
  { api, propagation, tracer }: TracingParts,
  store: EventStore,
  [stream, events, expectedVersion]: Parameters<EventStore['saveEvents']>,
): ReturnType<EventStore['saveEvents']> {
  const parent = propagation.contextOf(events[0]?.metadata ?? {}, api.context.active());
  const attributes = { [ownAttributes.streamType]: stream.type, [ownAttributes.streamId]: stream.id };
  const span = tracer.startSpan(`append ${stream.type}`, { kind: spanKinds.client, attributes }, parent);
  if (isNothing(span)) return store.saveEvents(stream, events, expectedVersion);
  const context = api.trace.setSpan(parent, span);
  const placed = events.map((event): NewEvent => {
    const metadata = propagation.carried(event.metadata ?? nothing, context);
    return metadata === nothing ? event : { ...event, metadata };
  });
  return around(api, span, context, () => store.saveEvents(stream, placed, expectedVersion));
}
