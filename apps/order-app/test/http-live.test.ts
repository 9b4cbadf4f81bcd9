// What is served beside orders, in this process and in memory: the stream, operations, metrics, health, the end. Every answer is checked
// against the OpenAPI document.
import { once } from 'node:events';
import { connect } from 'node:net';
import { connectOperations, readEndpoint } from '@bento-bus/admin';
import { metricNames } from '@bento-bus/observability';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { PayOrder, ShipOrder } from '../src/application/commands.ts';
import { createServer } from '../src/http/create-server.ts';
import { type Client, Stream } from './http-client.ts';
import { eventually, Shops, seed, type TestShop } from './http-shops.ts';

const shops = new Shops();
let shop: TestShop;
let client: Client;
beforeAll(async () => {
  shop = await shops.serve();
  ({ client } = shop);
});
afterAll(() => shops.close());

describe('the stream', () => {
  it('tells each event once the read model has it, and what was missed', async () => {
    const first = await Stream.open(shop.url);
    await eventually('it is open', () => first.of('groups').length > 0);
    await shop.place('live 1');
    await eventually('it is told', () => first.of('order').length > 0);
    const [placed] = first.of('order');
    expect(placed?.data).toEqual({
      type: 'order.placed',
      id: expect.any(String),
      orderId: 'live 1',
      time: expect.any(String),
      country: 'France',
      status: 'placed',
      total: '2.50',
    });
    first.close();
    await shop.act('live 1', 'pay');
    await shop.act('live 1', 'ship');
    const second = await Stream.open(shop.url, placed?.id);
    await eventually('what was missed is told', () => second.of('order').length === 2);
    await shop.act('live 1', 'refund');
    await eventually('what comes is told', () => second.of('order').length === 3);
    expect(second.of('order').map(({ data }) => data.status)).toEqual(['paid', 'shipped', 'refunded']);
    second.close();
    const third = await Stream.open(shop.url, 'no position');
    await eventually('it is open', () => third.of('groups').length > 0);
    expect(third.of('order')).toEqual([]);
    third.close();
  });
});

// oxlint-disable-next-line typescript/no-explicit-any -- as of an answer
const failed = async (): Promise<any> => (await client.get('/api/failed')).json;

describe('operations', () => {
  const where = { topic: 'orders', group: 'shipping-notifications' };

  it('show groups', async () => {
    const { json } = await client.get('/api/groups');
    expect(json.backend).toBe('inprocess');
    expect(json.groups.map(({ topic, group }: { topic: string; group: string }) => `${topic} ${group}`)).toEqual([
      'orders read-models',
      'credit-notes read-models',
      'orders shipping-notifications',
    ]);
    await eventually('nothing is left', async () =>
      (await client.get('/api/groups')).json.groups.every(
        ({ lag, members, state }: Record<string, unknown>) => lag === 0 && members === 1 && state === 'ok',
      ),
    );
  });

  it('show what failed, give it back, and take it away; the stream tells how many there are', async () => {
    const { outage } = shop;
    const stream = await Stream.open(shop.url);
    await eventually('nothing has failed', () => stream.of('failed').at(-1)?.data.count === 0);
    outage.isAway = true;
    await seed(shop, ['f1', 'f2'], {}, [(orderId) => new PayOrder(orderId), (orderId) => new ShipOrder(orderId)]);
    // Three tries and a delayed one, which a shop that is slow would otherwise have when the outage is over.
    await eventually('both are parked for good', async () => {
      const { messages } = await failed();
      return messages.length === 2 && messages.every(({ attempts }: { attempts: number }) => attempts === 4);
    });
    await eventually('it is told', () => stream.of('failed').at(-1)?.data.count === 2);
    const { places, messages } = await failed();
    expect(places).toEqual([{ ...where, count: 2 }]);
    const [one] = messages;
    expect(one).toMatchObject({ ...where, kind: 'parked', type: 'order.shipped', error: 'the mail server is away' });
    await eventually('it is in the trace', async () => {
      const { steps } = (await client.get('/api/orders/f1/trace')).json;
      expect(
        steps.filter(({ group, outcome }: Record<string, unknown>) => group === 'read-models' && outcome !== 'ok'),
      ).toEqual([]);
      return steps.some(({ kind, group }: Record<string, unknown>) => kind === 'dead-letter' && group === where.group);
    });
    outage.isAway = false;
    const id = messages.find(({ key }: { key: string }) => key === 'f1').id;
    expect((await client.post('/api/failed/redrive', { ...where, ids: [id] })).json).toMatchObject({ done: 1 });
    await eventually('it is handled', () => outage.told.some(({ orderId }) => orderId === 'f1'));
    await eventually('the trace ends well', async () => {
      const { steps } = (await client.get('/api/orders/f1/trace')).json;
      const told = steps
        .filter(({ group }: Record<string, unknown>) => group === where.group)
        .map(({ kind, outcome }: Record<string, unknown>) => `${String(kind)} ${String(outcome)}`);
      return told.slice(-3).join() === 'dead-letter ok,redrive ok,process ok';
    });
    await eventually('it is gone', async () => (await failed()).messages.length === 1);
    expect((await client.post('/api/failed/discard', where)).json).toMatchObject({ done: 1 });
    await eventually('all are gone', async () => (await failed()).messages.length === 0);
    await eventually('it is told', () => stream.of('failed').at(-1)?.data.count === 0);
    expect(outage.told.some(({ orderId }) => orderId === 'f2')).toBe(false);
    stream.close();
  });

  it('are there for `bento` at the endpoint that the data directory names', async () => {
    const endpoint = await readEndpoint(shop.dataDir);
    if (endpoint === undefined) throw new Error('no endpoint');
    await using operations = connectOperations(endpoint);
    expect(await operations.about()).toMatchObject({ backend: 'inprocess', application: '/order-app', remote: true });
    expect(await operations.relay()).toMatchObject({ state: 'running' });
    expect(await operations.projections()).toEqual([
      { projection: 'orders', failed: [] },
      { projection: 'credit-notes', failed: [] },
    ]);
    const findings = await operations.diagnose();
    expect(findings.some(({ check }) => check.startsWith('clickhouse'))).toBe(true);
    expect(findings.filter(({ level }) => level === 'fault')).toEqual([]);
    expect((await operations.events({ limit: 1 })).length).toBe(1);
  });
});

describe('a server for other machines', () => {
  it('answers to the names that it was given, and has no endpoint for `bento` but on this machine', async () => {
    await using server = await createServer(shop.shop, { host: '0.0.0.0', allowedHosts: ['shop.example'] });
    await server.listen({ host: '0.0.0.0', port: 0 });
    const from = (remoteAddress: string, method: 'GET' | 'POST', url: string, host = 'shop.example') =>
      server.inject({ method, url, remoteAddress, headers: { host } });
    expect((await from('10.0.0.7', 'GET', '/health/live')).statusCode).toBe(200);
    const other = await from('10.0.0.7', 'GET', '/health/live', 'evil.example');
    expect(other.json()).toMatchObject({ status: 403, detail: expect.stringContaining('ALLOWED_HOSTS') });
    expect((await from('10.0.0.7', 'POST', '/bento/about')).json()).toMatchObject({ status: 404 });
    expect((await from('127.0.0.1', 'POST', '/bento/about')).statusCode).toBe(401);
  });
});

describe('metrics and health', () => {
  it('has every metric that is named, with values', async () => {
    const { json, headers } = await client.get('/metrics');
    expect(headers.get('content-type')).toContain('text/plain');
    for (const { prometheus } of Object.values(metricNames))
      expect(json).toMatch(new RegExp(`^# TYPE ${prometheus} (counter|gauge|histogram)$`, 'm'));
    expect(json).toMatch(/^bento_commands_total\{command="PlaceOrder",outcome="ok"\} [1-9]/m);
    expect(json).toMatch(/^bento_group_lag\{topic="orders",group="read-models"\} \d/m);
    expect(json).toMatch(/^bento_relay_events_total\{outcome="published"\} [1-9]/m);
    expect(json).toMatch(/^bento_health\{check="relay"\} 1$/m);
    expect(json).toMatch(/^process_cpu_seconds_total \d/m);
  });

  it('is ready while all is well', async () => {
    expect((await client.get('/health/live')).json).toMatchObject({ status: 'ok' });
    await eventually('it is ready', async () => (await client.get('/health/ready')).status === 200);
    const { checks } = (await client.get('/health/ready')).json;
    expect(checks.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['store', 'broker', 'relay', 'consumers']),
    );
  });
});

describe('a shop whose relay stops', () => {
  let other: TestShop;
  beforeAll(async () => {
    other = await shops.serve({ messageCodec: 'avro' }, { drainDelayMs: 1_000 });
  });

  it('is not ready, and lives', async () => {
    // What the codec cannot write must not be passed over.
    const event = { id: 'bad', type: 'order.placed', version: 1, data: { orderId: 'bad' }, time: 0 };
    const { eventStore } = other.shop.app.parts.clickhouse;
    await eventStore.saveEvents({ type: 'order', id: 'bad' }, [event], 0);
    await eventually('it is not ready', async () => (await other.client.get('/health/ready')).status === 503);
    const { status, checks } = (await other.client.get('/health/ready')).json;
    expect(status).toBe('failing');
    expect(checks.find(({ name }: { name: string }) => name === 'relay')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('the codec refuses it'),
    });
    expect((await other.client.get('/health/live')).status).toBe(200);
  });

  it('says when it closes that it is not ready, answers what is under way, ends streams and waits for no silent connection', async () => {
    const stream = await Stream.open(other.url);
    await eventually('it is open', () => stream.of('groups').length > 0);
    // A browser opens connections ahead.
    const silent = connect(Number(new URL(other.url).port), '127.0.0.1');
    await once(silent, 'connect');
    const closed = other.close();
    await eventually('it drains', async () => (await other.client.get('/health/ready')).json.status === 'draining');
    expect((await other.client.get('/api/statistics')).status).toBe(200);
    await closed;
    await stream.ended;
    silent.destroy();
    await expect(fetch(`${other.url}/health/live`)).rejects.toThrow('fetch failed');
  });
});

const again = (): Promise<TestShop> =>
  shops.serve({ clickhouseDatabase: 'again' }, { notificationDelays: [3_600_000] });

describe('a shop that begins again', () => {
  it('tries notifications again whose delayed tries its process took along', async () => {
    const before = await again();
    before.outage.isAway = true;
    await seed(before, ['a1'], {}, [(orderId) => new PayOrder(orderId), (orderId) => new ShipOrder(orderId)]);
    await eventually('it is parked', async () => (await before.client.get('/api/failed')).json.messages.length === 1);
    await before.close();
    const after = await again();
    await eventually('it is told', () => after.outage.told.some(({ orderId }) => orderId === 'a1'));
    await eventually('none is left', async () => (await after.client.get('/api/failed')).json.messages.length === 0);
    expect(after.outage.told).toHaveLength(1);
  });
});

describe('the OpenAPI document', () => {
  it('describes every route, with schemas that can be read', () => {
    const { openapi, info, paths } = client.document;
    expect(openapi).toBe('3.1.0');
    expect(info.title).toBe('Order app');
    expect(Object.keys(paths).toSorted()).toEqual([
      '/api/failed',
      '/api/failed/discard',
      '/api/failed/redrive',
      '/api/groups',
      '/api/orders',
      '/api/orders/{id}',
      '/api/orders/{id}/cancel',
      '/api/orders/{id}/events',
      '/api/orders/{id}/pay',
      '/api/orders/{id}/refund',
      '/api/orders/{id}/ship',
      '/api/orders/{id}/trace',
      '/api/statistics',
      '/api/stream',
      '/health/live',
      '/health/ready',
      '/metrics',
    ]);
    for (const [path, operations] of Object.entries(paths))
      for (const [method, operation] of Object.entries(operations)) {
        expect({ path, method, summary: operation.summary }).toMatchObject({
          summary: expect.stringMatching(/^[A-Z]/),
        });
        const named = (operation.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => name);
        expect(named).toEqual(Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name));
        const contents = [
          operation.requestBody?.content ?? {},
          ...Object.values(operation.responses).map((r) => r.content ?? {}),
        ];
        for (const content of contents)
          for (const { schema } of Object.values(content)) expect(() => z.fromJSONSchema(schema)).not.toThrow();
        expect(Object.keys(operation.responses)).toContain('200');
      }
  });
  it('had every answer of these tests checked, of these routes', () => {
    expect(client.succeeded()).toEqual([
      'GET /api/failed',
      'GET /api/groups',
      'GET /api/orders/{id}/trace',
      'GET /health/live',
      'GET /health/ready',
      'GET /metrics',
      'POST /api/failed/discard',
      'POST /api/failed/redrive',
      'POST /api/orders',
      'POST /api/orders/{id}/pay',
      'POST /api/orders/{id}/refund',
      'POST /api/orders/{id}/ship',
    ]);
  });
});
