import {
  type BatchHandler,
  BentoError,
  type Delivery,
  type DeliveryHandler,
  type Middleware,
  PublishError,
  silentLogger,
} from '@bento-bus/core';
import { deferred } from '@bento-bus/core/adapter';
import { describe, expect, it } from '@jest/globals';
import * as otel from '@opentelemetry/api';
import { messageOf, SmallTransport } from '../../test/small-transport.ts';
import { instrument } from '../instrumented/instrument.ts';
import { metricNames } from '../names.ts';
import { createTracing } from '../tracing/create-tracing.ts';
import { createMetrics } from './create-metrics.ts';
import type { Family, MetricName, Metrics } from './metrics.ts';

const familyOf = async (metrics: Metrics, wanted: MetricName): Promise<Family> => {
  const found = (await metrics.families()).find(({ name }) => name.otel === wanted.otel);
  if (found === undefined) throw new Error(`there is no ${wanted.otel}`);
  return found;
};
/** `labels: value`, for histograms the count, of all that counted something. */
const valuesOf = async (metrics: Metrics, name: MetricName): Promise<readonly string[]> => {
  const { samples } = await familyOf(metrics, name);
  return samples.flatMap((sample) => {
    const value = 'count' in sample ? sample.count : sample.value;
    return value === 0 ? [] : [`${Object.values(sample.labels).join(' ')}: ${value}`];
  });
};
const ignore: Middleware = (next, subscription) => {
  subscription.onExhausted(async () => {});
  return next;
};
const handle: DeliveryHandler = async ({ message: { id } }) => {
  if (id === 'poison') throw new BentoError('VALIDATION', 'no');
  if (id === 'refused') throw new BentoError('ABORTED', 'not its turn');
};
const succeed: BatchHandler = async (batch) => batch.map(() => ({ ok: true }));
const swallowing: Middleware = (next) => (delivery, signal) => next(delivery, signal).catch(() => {});
const refusing: Middleware = (next) => (delivery, signal) =>
  delivery.message.id === 'invalid' ? Promise.reject(new RangeError('invalid')) : next(delivery, signal);
const wrapping: Middleware = (next) => (delivery, signal) =>
  next(delivery, signal).catch((cause: unknown) => {
    throw new TypeError('it failed', { cause });
  });
const passing: Middleware = (next) => (delivery, signal) => next(delivery, signal);

describe('Metrics of an instrumented transport', () => {
  it('count what is sent, and what was not stored of it by the type of error', async () => {
    const metrics = createMetrics();
    const transport = new SmallTransport();
    const instrumented = instrument(transport, [metrics]);
    const three = ['1', '2', '3'].map((id) => messageOf(id));
    await instrumented.publish('orders', three);
    transport.refusal = new PublishError('one is too many', [2], true);
    await expect(instrumented.publish('orders', three)).rejects.toThrow('one is too many');
    transport.refusal = new TypeError('no');
    await expect(instrumented.publish('bills', three)).rejects.toThrow('no');
    expect(await valuesOf(metrics, metricNames.sentMessages)).toEqual([
      'small send orders: 5',
      'small send orders PUBLISH: 1',
      'small send bills TypeError: 3',
    ]);
    expect(await valuesOf(metrics, metricNames.operationDuration)).toEqual([
      'small send orders: 1',
      'small send orders PUBLISH: 1',
      'small send bills TypeError: 1',
    ]);
  });

  it('count each of the publishes that are confirmed together, by one promise', async () => {
    const metrics = createMetrics();
    let answer = Promise.resolve();
    const transport = Object.assign(new SmallTransport(), { publish: () => answer });
    const instrumented = instrument(transport, [metrics]);
    const publish = (topic: string, count: number): Promise<void>[] =>
      Array.from({ length: count }, () => instrumented.publish(topic, [messageOf('1')]));
    await Promise.all([...publish('orders', 3), ...publish('bills', 1)]);
    await Promise.all(publish('orders', 2));
    const own = deferred();
    const other = deferred();
    answer = own.promise;
    const refused = publish('orders', 3);
    answer = other.promise;
    const late = publish('orders', 2);
    own.reject(new TypeError('no'));
    expect((await Promise.allSettled(refused)).map(({ status }) => status)).toEqual(Array(3).fill('rejected'));
    other.resolve();
    await Promise.all(late);
    expect(await valuesOf(metrics, metricNames.sentMessages)).toEqual([
      'small send orders: 7',
      'small send bills: 1',
      'small send orders TypeError: 3',
    ]);
  });

  it('count the events of a log that go out', async () => {
    const metrics = createMetrics();
    const log = await instrument(new SmallTransport(), [metrics]).openCheckpointed();
    await log.publish([{ topic: 'orders', position: '6', message: messageOf('1') }], '7');
    expect(await valuesOf(metrics, metricNames.sentMessages)).toEqual(['small send orders: 1']);
  });

  it('count what is handled: tries, failures, what is exhausted, ages', async () => {
    const metrics = createMetrics();
    const transport = new SmallTransport();
    await instrument(transport, [metrics]).subscribe(['orders'], handle, { group: 'mail', use: [ignore] });
    for (const id of ['1', 'poison', 'refused']) await transport.publish('orders', [messageOf(id)]);
    expect(await valuesOf(metrics, metricNames.consumedMessages)).toEqual(['process small orders mail: 5']);
    expect(await valuesOf(metrics, metricNames.processDuration)).toEqual([
      'small process orders mail: 1',
      'small process orders mail VALIDATION: 2',
      'small process orders mail ABORTED: 2',
    ]);
    expect(await valuesOf(metrics, metricNames.failures)).toEqual(['small orders mail VALIDATION: 2']);
    expect(await valuesOf(metrics, metricNames.redeliveries)).toEqual(['small orders mail: 2']);
    expect(await valuesOf(metrics, metricNames.exhausted)).toEqual(['small orders mail: 2']);
    const { samples } = await familyOf(metrics, metricNames.age);
    // Each was two seconds old.
    expect(samples).toMatchObject([{ count: 5, sum: 10, counts: expect.arrayContaining([5]) }]);
    expect(samples).toHaveLength(1);
    const [age] = samples;
    if (age === undefined || !('bounds' in age)) throw new Error('no histogram');
    expect(age.bounds[age.counts.indexOf(5)]).toBe(5);
  });

  it('count what a middleware answers by storing a copy, and what it fails with itself, each once', async () => {
    const metrics = createMetrics();
    const transport = new SmallTransport();
    const instrumented = instrument(transport, [metrics]);
    await instrumented.subscribe(['orders'], handle, { group: 'mail', use: [ignore, swallowing] });
    await instrumented.subscribe(['bills'], handle, { group: 'mail', use: [ignore, refusing, wrapping] });
    for (const id of ['1', 'poison']) await transport.publish('orders', [messageOf(id)]);
    for (const id of ['1', 'invalid', 'poison']) await transport.publish('bills', [messageOf(id)]);
    expect(await valuesOf(metrics, metricNames.failures)).toEqual([
      'small orders mail VALIDATION: 1',
      'small bills mail RangeError: 2',
      'small bills mail VALIDATION: 2',
    ]);
    expect(await valuesOf(metrics, metricNames.consumedMessages)).toEqual([
      'process small orders mail: 2',
      'process small bills mail: 3',
    ]);
    expect(await valuesOf(metrics, metricNames.processDuration)).toEqual([
      'small process orders mail: 1',
      'small process bills mail: 1',
      'small process orders mail VALIDATION: 1',
      'small process bills mail VALIDATION: 2',
    ]);
  });

  it('change nothing for handlers that throw or return no promise', async () => {
    const metrics = createMetrics();
    const transport = new SmallTransport();
    const started: string[] = [];
    // As JavaScript allows it.
    const careless = (({ message: { id } }: Delivery) => {
      started.push(id);
      if (id === 'poison') throw new BentoError('VALIDATION', 'no');
    }) as unknown as DeliveryHandler;
    const instrumented = instrument(transport, [createTracing({ api: otel }).transport, metrics]);
    await instrumented.subscribe(['orders'], careless, { group: 'mail', use: [passing] });
    await transport.publish('orders', [messageOf('1')]);
    expect(started).toEqual(['1']);
    await expect(transport.publish('orders', [messageOf('poison')])).rejects.toThrow('no');
    expect(started).toEqual(['1', 'poison']);
    expect(await valuesOf(metrics, metricNames.inFlight)).toEqual([]);
    expect(await valuesOf(metrics, metricNames.failures)).toEqual(['small orders mail VALIDATION: 1']);
    expect(await valuesOf(metrics, metricNames.processDuration)).toHaveLength(2);
  });

  it('know how many are in handlers now', async () => {
    const metrics = createMetrics();
    const transport = new SmallTransport();
    const seen: (readonly string[])[] = [];
    const handler = async (): Promise<void> => void seen.push(await valuesOf(metrics, metricNames.inFlight));
    await instrument(transport, [metrics]).subscribe(['orders'], handler, { group: 'mail' });
    await transport.publish('orders', [messageOf('1')]);
    expect(seen).toEqual([['small orders mail: 1']]);
    expect(await valuesOf(metrics, metricNames.inFlight)).toEqual([]);
  });

  it('count each delivery of a batch', async () => {
    const metrics = createMetrics();
    const transport = new SmallTransport();
    const options = { group: 'mail', size: 10, waitMs: 0 };
    await instrument(transport, [metrics]).subscribeBatch(['orders'], succeed, options);
    await transport.publish('orders', [messageOf('1'), messageOf('2')]);
    expect(await valuesOf(metrics, metricNames.consumedMessages)).toEqual(['process small orders mail: 2']);
  });

  it('have bounded labels, however many topics and errors there are', async () => {
    const metrics = createMetrics({ maxTopics: 2, maxErrorTypes: 1 });
    const transport = new SmallTransport();
    const instrumented = instrument(transport, [metrics]);
    for (const topic of ['a', 'b', 'c', 'd', 'a']) await instrumented.publish(topic, [messageOf('1')]);
    expect(await valuesOf(metrics, metricNames.sentMessages)).toEqual([
      'small send a: 2',
      'small send b: 1',
      'small send other: 2',
    ]);
    for (const name of ['One', 'Two', 'Three', 'One']) {
      transport.refusal = Object.assign(new Error('no'), { name });
      await expect(instrumented.publish('a', [messageOf('1')])).rejects.toThrow('no');
    }
    expect((await valuesOf(metrics, metricNames.sentMessages)).filter((line) => line.includes(' a '))).toEqual([
      'small send a One: 2',
      'small send a other: 2',
    ]);
  });
});

describe('Metrics of others', () => {
  const name = { otel: 'app.orders', prometheus: 'app_orders_total' };

  it('are made once a name, and counted by their labels', async () => {
    const metrics = createMetrics();
    metrics.counter(name, 'Orders.', ['country']).add({ country: 'France' });
    const cell = metrics.counter(name, 'Orders.', ['country']).cell({ country: 'France' });
    cell.value += 2;
    metrics.counter(name, 'Orders.', ['country']).add({}, 5);
    const { samples } = await familyOf(metrics, name);
    expect(samples).toEqual([
      { labels: { country: 'France' }, value: 3 },
      { labels: {}, value: 5 },
    ]);
  });

  it('fall into the bucket whose bound they do not exceed', async () => {
    const metrics = createMetrics();
    const sizes = metrics.histogram(name, 'Sizes.', [], { buckets: [1, 10], unit: 'By' });
    for (const size of [0, 1, 1.5, 10, 11, 1e9]) sizes.record({}, size);
    const { samples, unit } = await familyOf(metrics, name);
    expect(samples).toEqual([{ labels: {}, count: 6, sum: 1_000_000_023.5, bounds: [1, 10], counts: [2, 2, 2] }]);
    expect(unit).toBe('By');
  });

  it('of one gauge come from all its readers, without those that fail, which is logged once', async () => {
    const faults: string[] = [];
    const metrics = createMetrics({ logger: { ...silentLogger, error: (message) => void faults.push(message) } });
    metrics.gauge(name, 'Lag.', ['topic'], () => [{ labels: { topic: 'a' }, value: 1 }]);
    metrics.gauge(name, 'Lag.', ['topic'], () => {
      throw new Error('away');
    });
    metrics.gauge(name, 'Lag.', ['topic'], async () => [{ labels: { topic: 'b' }, value: 2 }]);
    for (let i = 0; i < 2; i += 1) expect(await valuesOf(metrics, name)).toEqual(['a: 1', 'b: 2']);
    expect(faults).toHaveLength(1);
  });

  it('refuse what contradicts itself', () => {
    const metrics = createMetrics();
    metrics.counter(name, 'Orders.', ['country']);
    expect(() => metrics.histogram(name, 'Orders.', ['city'])).toThrow(
      'observability: cannot make "app.orders": it is a counter, no histogram; its labels are country, not city.',
    );
    expect(() => metrics.counter({ otel: 'x', prometheus: 'x-y' }, '', ['le'])).toThrow(
      /"x-y" is no name for Prometheus.*"le" is no name for a label/,
    );
    expect(() => metrics.histogram({ otel: 'x', prometheus: 'x' }, '', [], { buckets: [2, 1] })).toThrow('ascend');
    expect(() => createMetrics({ ageBuckets: [], durationBuckets: [Number.NaN], maxTopics: -1 })).toThrow(
      /durationBuckets must .*ageBuckets must .*maxTopics must be a whole number from 0, not -1/,
    );
  });
});
