import { describe, expect, it } from '@jest/globals';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { messageOf, SmallTransport } from '../../test/small-transport.ts';
import { instrument } from '../instrumented/instrument.ts';
import { createMetrics } from './create-metrics.ts';
import { exportToOpenTelemetry } from './open-telemetry.ts';

/** A real SDK that exports into memory. */
function collecting() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const read = async (): Promise<ReadonlyMap<string, MetricData>> => {
    exporter.reset();
    await provider.forceFlush();
    const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    return new Map(all.map((metric) => [metric.descriptor.name, metric]));
  };
  return { meter: provider.getMeter('test'), read, stop: () => provider.shutdown() };
}

describe('Metrics in a meter of OpenTelemetry', () => {
  it('have the names, units and attributes of the conventions', async () => {
    const { meter, read, stop } = collecting();
    const metrics = createMetrics({ ageBuckets: [1, 10] });
    const transport = instrument(new SmallTransport(), [metrics]);
    await transport.subscribe(['orders'], async () => {}, { group: 'mail' });
    exportToOpenTelemetry(metrics, meter);
    await transport.publish('orders', [messageOf('1'), messageOf('2')]);
    metrics.gauge({ otel: 'app.lag', prometheus: 'app_lag' }, 'Lag.', ['topic'], async () => [
      { labels: { topic: 'orders' }, value: 7 },
    ]);
    const found = await read();
    const sent = {
      'messaging.system.name': 'small',
      'messaging.operation.name': 'send',
      'messaging.destination.name': 'orders',
    };
    expect(found.get('messaging.client.sent.messages')?.dataPoints).toMatchObject([{ attributes: sent, value: 2 }]);
    expect(found.get('app.lag')?.dataPoints).toMatchObject([{ attributes: { topic: 'orders' }, value: 7 }]);
    expect(found.get('messaging.client.operation.duration')).toMatchObject({
      descriptor: { unit: 's' },
      dataPoints: [{ attributes: sent, value: { count: 1 } }],
    });
    expect(found.get('bento.message.age')?.dataPoints).toMatchObject([
      { value: { count: 2, sum: 4, buckets: { boundaries: [1, 10], counts: [0, 2, 0] } } },
    ]);
    await stop();
  });

  it('end when they are told to', async () => {
    const { meter, read, stop } = collecting();
    const metrics = createMetrics();
    const ages = metrics.histogram({ otel: 'app.age', prometheus: 'app_age' }, 'Age.', []);
    const count = metrics.counter({ otel: 'app.count', prometheus: 'app_count' }, 'Count.', []);
    const end = exportToOpenTelemetry(metrics, meter);
    ages.record({}, 1);
    count.add({});
    await read();
    end();
    ages.record({}, 1);
    count.add({});
    metrics.counter({ otel: 'app.later', prometheus: 'app_later' }, 'Later.', []).add({});
    const found = await read();
    expect(found.get('app.age')?.dataPoints).toMatchObject([{ value: { count: 1 } }]);
    expect(found.get('app.count')?.dataPoints ?? []).not.toMatchObject([{ value: 2 }]);
    expect(found.has('app.later')).toBe(false);
    await stop();
  });
});
