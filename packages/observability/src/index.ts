export type { GaugeRegistry, GaugeValue } from './gauges.ts';
export { createHealth, type Health } from './health/health.ts';
export type { CheckResult, HealthCheck, HealthOptions, HealthResult } from './health/options.ts';
export { createWatchdog, type Watchdog, type WatchdogOptions, type WatchdogProblem } from './health/watchdog.ts';
export type { Instrument, Publishing, SubscriptionWatch, Surroundings, Watched } from './instrument.ts';
export { type InstrumentOptions, instrument } from './instrumented/instrument.ts';
export { createLagMonitor, type LagMonitor } from './lag/lag-monitor.ts';
export type { GroupLag, LagMonitorOptions, WatchedGroup } from './lag/options.ts';
export { type LogHandlingOptions, logHandling } from './logger/log-handling.ts';
export { fromPino, type PinoLogger } from './logger/pino.ts';
export { type Handled, withMessage } from './logger/with-message.ts';
export { createMetrics } from './metrics/create-metrics.ts';
export type {
  Counter,
  CounterCell,
  Family,
  FamilyHead,
  Histogram,
  HistogramCell,
  HistogramOptions,
  HistogramSample,
  MetricLabels,
  MetricName,
  Metrics,
} from './metrics/metrics.ts';
export { exportToOpenTelemetry, type OpenTelemetryMeter } from './metrics/open-telemetry.ts';
export type { MetricsOptions } from './metrics/options.ts';
export {
  exportToPrometheus,
  type PrometheusMetric,
  type PrometheusRegistry,
  type PrometheusValue,
} from './metrics/prometheus.ts';
export { attributes, metricNames, operations, ownAttributes } from './names.ts';
export { createTracing, type SpanOptions, type Tracing, type TracingOptions } from './tracing/create-tracing.ts';
export type {
  Carrier,
  CarrierSetter,
  Span,
  SpanAttributes,
  SpanContext,
  SpanKindName,
  SpanLink,
  StartOptions,
  TraceApi,
  TraceContext,
  Tracer,
} from './tracing/otel.ts';
export { type FindTrailOptions, type FoundTrail, findTrail, type TrailProgress } from './trail/find-trail.ts';
export type { TrailMessage, TrailStep } from './trail/message.ts';
export { createTrail, type Trail, type TrailOptions } from './trail/trail.ts';
export type { TrailBranch, TrailTree } from './trail/tree.ts';
