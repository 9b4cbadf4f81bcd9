import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { context, DiagLogLevel, diag, ProxyTracerProvider, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { setGlobalErrorHandler, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { TellingExporter } from './telling-exporter.ts';

/**
 * How long one export may take with its retries, unless OTEL_EXPORTER_OTLP_TIMEOUT says otherwise: their timers hold the process, so it
 * is less than the time to the end. Milliseconds.
 */
const exportMs = 2_500;

/** How long the end waits for what is yet to be exported. Milliseconds. */
const endMs = 3_000;

/**
 * Spans that wait, unless OTEL_BSP_MAX_QUEUE_SIZE says otherwise: the default of 2,048 is less than an import makes in the time of one export.
 */
const queueSize = 15_000;

/** Batches on their way. At the end all that wait go at once, and the exporter drops what is above; the queue bounds them already. */
const concurrencyLimit = 100_000;

/** Of a span, unless OTEL_SPAN_LINK_COUNT_LIMIT says otherwise: one a message of a batch, of which the relay publishes 500 together. */
const linkCountLimit = 1_024;

export interface ExportingOptions {
  /** What takes traces, with its path. */
  readonly url: string;
  /** @default what OTEL_RESOURCE_ATTRIBUTES says, else `order-app` */
  readonly serviceName: string | undefined;
  readonly logger: Logger;
}

/** Spans on their way to a collector. */
export interface Exporting {
  /** Exports what is left, in a bounded time. Never rejects. */
  end(): Promise<void>;
}

/** Sets up the SDK of this process, unless somebody has. */
export function startExporting({ url, serviceName, logger }: ExportingOptions): Exporting {
  if (hasSdk()) {
    logger.info('an OpenTelemetry SDK is set up already: traces go where it sends them');
    return { end: async () => {} };
  }
  tellOfSdk(logger);
  const timeouts = ['OTEL_EXPORTER_OTLP_TIMEOUT', 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT'];
  const otlp = new OTLPTraceExporter({ url, concurrencyLimit, ...unlessSet(timeouts, { timeoutMillis: exportMs }) });
  const exporter = new TellingExporter(otlp, url, logger);
  const queue = unlessSet(['OTEL_BSP_MAX_QUEUE_SIZE'], { maxQueueSize: queueSize });
  const provider = new BasicTracerProvider({
    resource: resourceOf(serviceName),
    spanProcessors: [new BatchSpanProcessor(exporter, queue)],
    spanLimits: unlessSet(['OTEL_SPAN_LINK_COUNT_LIMIT'], { linkCountLimit }),
  });
  trace.setGlobalTracerProvider(provider);
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return { end: () => endOf(provider, exporter) };
}

/** Also one that came by another copy of the API. */
function hasSdk(): boolean {
  const provider = trace.getTracerProvider();
  const none = new ProxyTracerProvider().getDelegate();
  return !('getDelegate' in provider && (provider as ProxyTracerProvider).getDelegate() === none);
}

const nothing = (): void => {};

/** What the SDK has to say of its settings, and of spans that it has no room for: each once. Failed exports are told by their exporter. */
function tellOfSdk(logger: Logger): void {
  setGlobalErrorHandler(nothing);
  const told = new Set<string>();
  const tell = (message: string): void => {
    const kind = message.replaceAll(/\d+/g, '0');
    if (told.has(kind)) return;
    told.add(kind);
    logger.warn('OpenTelemetry reports', { reason: message });
  };
  diag.setLogger(
    { error: tell, warn: tell, info: nothing, debug: nothing, verbose: nothing },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

const isSet = (name: string): boolean => (process.env[name] ?? '').trim() !== '';

/** What is said here wins over the environment: so only where that says nothing. */
const unlessSet = <T extends object>(names: readonly string[], options: T): Partial<T> =>
  names.some(isSet) ? {} : options;

/** What the user says of the process wins over what is known of it here; the name by our own settings, which may stand in a file, over that. */
function resourceOf(serviceName: string | undefined): Resource {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  const known = { 'service.name': 'order-app', 'service.version': version, 'service.instance.id': randomUUID() };
  return defaultResource()
    .merge(resourceFromAttributes(known))
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes(serviceName === undefined ? {} : { 'service.name': serviceName }));
}

/** Failed exports are told of already. With the first of them `shutdown` rejects, while others are under way. */
async function endOf(provider: BasicTracerProvider, exporter: TellingExporter): Promise<void> {
  const all = async (): Promise<void> => {
    await provider.shutdown().catch(nothing);
    await exporter.forceFlush();
  };
  await withDeadline(all(), endMs, () => exporter.tell(`it did not answer within ${endMs} ms`)).catch(nothing);
}
