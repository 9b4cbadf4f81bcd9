import { configurationError } from '@bento-bus/core';
import { thrownText } from '@bento-bus/core/adapter';
import { registryOf } from './create-metrics.ts';
import type { AnyFamily } from './families.ts';
import type { HistogramSample, Metrics } from './metrics.ts';
import { prometheusLabel, readFamily } from './registry.ts';

/** A line of a metric, as prom-client keeps them. */
export interface PrometheusValue {
  readonly value: number;
  readonly labels: Record<string, string | number>;
  readonly metricName?: string;
}

/** A metric as a registry of prom-client 15 takes it. */
export interface PrometheusMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: 'sum';
  get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: 'counter' | 'gauge' | 'histogram';
    readonly values: PrometheusValue[];
    readonly aggregator: 'sum';
  }>;
  /** Does nothing: counters never go back. */
  reset(): void;
}

/** What is needed of prom-client's `Registry`. It gets {@link PrometheusMetric}s, though it asks for its own classes. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

/**
 * Puts all metrics into a registry of prom-client 15, those made later too; their values are read when the registry is. Labels have `_`
 * for dots. Several registries may be given the same metrics. Returns what takes them out again. A name that the registry has already is
 * a `CONFIGURATION` error, and nothing stays there.
 */
export function exportToPrometheus(metrics: Metrics, registry: PrometheusRegistry): () => void {
  const source = registryOf(metrics);
  if (source === undefined)
    throw configurationError('observability: cannot export to Prometheus', ['metrics must come from createMetrics']);
  const registered: string[] = [];
  const remove = (): void => {
    for (const name of registered.splice(0)) registry.removeSingleMetric(name);
  };
  try {
    const end = source.follow((family) => {
      const metric = metricOf(family);
      registry.registerMetric(metric as never);
      registered.push(metric.name);
    });
    return () => {
      end();
      remove();
    };
  } catch (error) {
    remove();
    throw configurationError('observability: cannot export to Prometheus', [
      `the registry refused: ${thrownText(error)}`,
    ]);
  }
}

function metricOf(family: AnyFamily): PrometheusMetric {
  const { help, name: names } = family.head;
  // Aggregation over processes of a cluster: what each has.
  const head = { name: names.prometheus, help, type: family.type, aggregator: 'sum' } as const;
  return {
    ...head,
    async get() {
      const read = await readFamily(family);
      const values =
        read.type === 'histogram'
          ? read.samples.flatMap((sample) => histogramLines(names.prometheus, sample))
          : read.samples.map(({ labels, value }) => ({ value, labels: prometheusLabels(labels) }));
      return { ...head, values };
    },
    reset: () => {},
  };
}

function histogramLines(name: string, { labels, bounds, counts, count, sum }: HistogramSample): PrometheusValue[] {
  const own = prometheusLabels(labels);
  let below = 0;
  const buckets = bounds.map((bound, i) => {
    below += counts[i] as number;
    return { metricName: `${name}_bucket`, labels: { le: bound, ...own }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { le: '+Inf', ...own }, value: count },
    { metricName: `${name}_sum`, labels: own, value: sum },
    { metricName: `${name}_count`, labels: own, value: count },
  ];
}

const prometheusLabels = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [prometheusLabel(name), value]));
