import { describe, expect, it } from '@jest/globals';
import { Counter, Registry } from 'prom-client';
import { messageOf, SmallTransport } from '../../test/small-transport.ts';
import { instrument } from '../instrumented/instrument.ts';
import { createMetrics } from './create-metrics.ts';
import { exportToPrometheus } from './prometheus.ts';

/** Lines of the text by what stands before the value. */
const linesOf = (text: string): ReadonlyMap<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const end = line.lastIndexOf(' ');
        return [line.slice(0, end), Number(line.slice(end + 1))] as const;
      }),
  );

async function counted() {
  const metrics = createMetrics({ ageBuckets: [1, 10] });
  const transport = instrument(new SmallTransport(), [metrics]);
  await transport.subscribe(['orders'], async () => {}, { group: 'mail "1"' });
  await transport.publish('orders', [messageOf('1'), messageOf('2')]);
  return { metrics, transport };
}

describe('Metrics in a registry of prom-client', () => {
  it('are read when the registry is', async () => {
    const { metrics, transport } = await counted();
    const registry = new Registry();
    exportToPrometheus(metrics, registry);
    const sent =
      'messaging_client_sent_messages_total{messaging_system_name="small",messaging_operation_name="send",messaging_destination_name="orders"}';
    const text = await registry.metrics();
    expect(text).toContain('# TYPE messaging_client_sent_messages_total counter\n');
    expect(text).toContain('# HELP bento_message_age_seconds Seconds from');
    const lines = linesOf(text);
    expect(lines.get(sent)).toBe(2);
    const of =
      'messaging_system_name="small",messaging_destination_name="orders",messaging_consumer_group_name="mail \\"1\\""';
    const ages = ['le="1",', 'le="10",', 'le="+Inf",'].map((le) =>
      lines.get(`bento_message_age_seconds_bucket{${le}${of}}`),
    );
    expect(ages).toEqual([0, 2, 2]);
    expect(lines.get(`bento_message_age_seconds_sum{${of}}`)).toBe(4);
    expect(lines.get(`bento_message_age_seconds_count{${of}}`)).toBe(2);
    expect(lines.get(`bento_redeliveries_total{${of}}`)).toBe(0);
    await transport.publish('orders', [messageOf('3')]);
    registry.resetMetrics();
    expect(linesOf(await registry.metrics()).get(sent)).toBe(3);
  });

  it('stand in several registries, also those made later, until they are taken out', async () => {
    const { metrics } = await counted();
    const [first, second] = [new Registry(), new Registry()];
    exportToPrometheus(metrics, first);
    first.setDefaultLabels({ service: 'shop' });
    const end = exportToPrometheus(metrics, second);
    const name = { otel: 'app.orders', prometheus: 'app_orders_total' };
    metrics.counter(name, 'Orders.', ['shop.country']).add({ 'shop.country': 'France' });
    expect(linesOf(await first.metrics()).get('app_orders_total{shop_country="France",service="shop"}')).toBe(1);
    expect(linesOf(await second.metrics()).get('app_orders_total{shop_country="France"}')).toBe(1);
    end();
    metrics.counter({ otel: 'app.later', prometheus: 'app_later_total' }, 'Later.', []);
    expect((await second.metrics()).trim()).toBe('');
    first.clear();
    expect((await first.metrics()).trim()).toBe('');
    exportToPrometheus(metrics, first);
    expect(await first.metrics()).toContain('# TYPE app_later_total counter');
  });

  it('are refused by a registry that has one of the names, which stays as it was', async () => {
    const { metrics } = await counted();
    const registry = new Registry();
    const own = new Counter({ name: 'bento_exhausted_total', help: 'mine', registers: [registry] });
    expect(() => exportToPrometheus(metrics, registry)).toThrow(
      /observability: cannot export to Prometheus: the registry refused: .*bento_exhausted_total has already been registered/,
    );
    expect(registry.getMetricsAsArray()).toEqual([own]);
  });
});
