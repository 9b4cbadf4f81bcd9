import { configurationError } from '@bento-bus/core';
import { registryOf } from './create-metrics.ts';
import type { CounterFamily } from './families.ts';
import type { GaugeFamily } from './gauge-family.ts';
import type { MetricLabels, Metrics } from './metrics.ts';

/** What is needed of a `Meter` of `@opentelemetry/api`. */
export interface OpenTelemetryMeter {
  createObservableCounter(name: string, options?: InstrumentDescription): Observable;
  createObservableGauge(name: string, options?: InstrumentDescription): Observable;
  createHistogram(
    name: string,
    options?: InstrumentDescription & { advice?: { explicitBucketBoundaries?: number[] } },
  ): { record(value: number, attributes?: Record<string, string>): void };
}

interface InstrumentDescription {
  description?: string;
  unit?: string;
}

interface Observable {
  addCallback(callback: ObservableCallback): void;
  removeCallback(callback: ObservableCallback): void;
}

type ObservableCallback = (result: {
  observe(value: number, attributes?: Record<string, string>): void;
}) => void | Promise<void>;

/**
 * Puts all metrics into a meter of OpenTelemetry, those made later too, with the names and units of its conventions. Counters and gauges
 * are read when the meter is; what histograms record goes to the meter from now on, with the same bounds unless a view says otherwise.
 * Returns what ends that.
 */
export function exportToOpenTelemetry(metrics: Metrics, meter: OpenTelemetryMeter): () => void {
  const source = registryOf(metrics);
  if (source === undefined)
    throw configurationError('observability: cannot export to OpenTelemetry', ['metrics must come from createMetrics']);
  let ended = false;
  const ends: (() => void)[] = [];
  ends.push(
    source.follow((family) => {
      const { name, help: description, unit } = family.head;
      if (family.type !== 'histogram') {
        ends.push(observed(meter, family));
        return;
      }
      const advice = { explicitBucketBoundaries: [...family.bounds] };
      const histogram = meter.createHistogram(name.otel, { description, unit, advice });
      family.tell((value, labels) => {
        if (!ended) histogram.record(value, labels);
      });
    }),
  );
  return () => {
    ended = true;
    for (const end of ends.splice(0)) end();
  };
}

function observed(meter: OpenTelemetryMeter, family: CounterFamily | GaugeFamily): () => void {
  const { name, help: description, unit } = family.head;
  const options = { description, ...(unit === '' ? {} : { unit }) };
  const observable =
    family.type === 'counter'
      ? meter.createObservableCounter(name.otel, options)
      : meter.createObservableGauge(name.otel, options);
  const callback: ObservableCallback = async (result) => {
    const samples: readonly { readonly labels: MetricLabels; readonly value: number }[] = await family.samples();
    for (const { labels, value } of samples) result.observe(value, labels);
  };
  observable.addCallback(callback);
  return () => observable.removeCallback(callback);
}
