// Orders over HTTP, in this process and in memory. Every answer is checked against the OpenAPI document.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CancelOrder } from '../src/application/commands.ts';
import type { Client } from './http-client.ts';
import { eventually, Shops, seed, someLines, type TestShop } from './http-shops.ts';

const shops = new Shops();
let shop: TestShop;
let client: Client;
beforeAll(async () => {
  shop = await shops.serve();
  ({ client } = shop);
});
afterAll(() => shops.close());

describe('an order over HTTP', () => {
  it('is placed, paid, shipped and refunded, and every answer shows it as it is then', async () => {
    const { status, headers, json } = await client.post('/api/orders', {
      customerId: 'c',
      country: 'Réunion',
      lines: [...someLines, { sku: 'B/2', quantity: 3, unitPrice: '0.3350' }],
    });
    const { orderId, placedAt } = json;
    expect({ status, location: headers.get('location') }).toEqual({ status: 201, location: `/api/orders/${orderId}` });
    const order = {
      orderId,
      status: 'placed',
      customerId: 'c',
      country: 'Réunion',
      placedAt,
      lineCount: 2,
      total: '3.51',
      tracking: '',
      lines: [
        { line: 1, sku: 'A1', description: 'MUG', quantity: 2, unitPrice: '1.25', amount: '2.50' },
        { line: 2, sku: 'B/2', description: '', quantity: 3, unitPrice: '0.335', amount: '1.01' },
      ],
    };
    expect(json).toEqual(order);
    expect(Math.abs(Date.parse(placedAt) - Date.now())).toBeLessThan(60_000);
    expect((await client.get(`/api/orders/${orderId}`)).json).toEqual(order);
    expect(await shop.act(orderId, 'pay')).toEqual({ ...order, status: 'paid' });
    expect(await shop.act(orderId, 'ship', { tracking: 'T-1' })).toEqual({
      ...order,
      status: 'shipped',
      tracking: 'T-1',
    });
    expect(await shop.act(orderId, 'refund')).toMatchObject({ status: 'refunded' });
    await eventually('the customer is told', () => shop.outage.told.some((told) => told.orderId === orderId));

    const { events } = (await client.get(`/api/orders/${orderId}/events`)).json;
    expect(events.map((one: { type: string }) => one.type)).toEqual([
      'order.placed',
      'order.paid',
      'order.shipped',
      'order.refunded',
    ]);
    expect(events[2]).toMatchObject({ streamVersion: 3, data: { orderId, tracking: 'T-1' } });
    await eventually('the trail has it', async () => {
      const { steps } = (await client.get(`/api/orders/${orderId}/trace`)).json;
      const of = (kind: string, name: string): { group?: string }[] =>
        steps.filter((step: { kind: string; name: string }) => step.kind === kind && step.name === name);
      expect(of('command', 'ShipOrder')).toMatchObject([{ outcome: 'ok' }]);
      expect(of('append', 'order.shipped')).toMatchObject([{ messageId: events[2].id }]);
      expect(of('publish', 'order.shipped')).toMatchObject([{ topic: 'orders', outcome: 'ok' }]);
      const times = steps.map(({ time }: { time: string }) => time);
      expect(times).toEqual(times.toSorted());
      return new Set(of('process', 'order.shipped').map(({ group }) => group)).size === 2;
    });
  });

  it('is placed again with the same number: the same content changes nothing, other content is refused', async () => {
    const order = { orderId: 'again 1/2', country: 'France', lines: someLines };
    const all = await Promise.all([1, 2, 3].map(() => client.post('/api/orders', order)));
    expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 201]);
    const same = { ...order, lines: [{ ...someLines[0], unitPrice: '1.250' }] };
    expect((await client.post('/api/orders', same)).status).toBe(200);
    const { status, json } = await client.post('/api/orders', { ...order, country: 'Spain' });
    expect({ status, json }).toMatchObject({
      status: 409,
      json: { type: '/problems/already-placed', instance: '/api/orders' },
    });
    expect((await client.get('/api/orders/again%201%2F2/events')).json.events).toHaveLength(1);
  });

  it('carries the correlation id of its request from the command to the events', async () => {
    const body = { orderId: 'correlated', country: 'France', lines: someLines };
    const { headers } = await client.post('/api/orders', body, { 'x-correlation-id': 'mine-1' });
    expect(headers.get('x-correlation-id')).toBe('mine-1');
    const { events } = (await client.get('/api/orders/correlated/events')).json;
    expect(events).toMatchObject([{ correlationId: 'mine-1' }]);
    const other = await client.get('/api/orders', { 'x-correlation-id': 'not a word' });
    expect(other.headers.get('x-correlation-id')).toMatch(/^[\da-f-]{36}$/);
  });

  it('cannot do what its status does not allow', async () => {
    await shop.place('early');
    expect(await shop.act('early', 'ship')).toMatchObject({ status: 409, type: '/problems/not-paid' });
    expect(await shop.act('early', 'refund')).toMatchObject({ status: 409, type: '/problems/not-paid' });
    expect(await shop.act('early', 'cancel', { reason: 'a mistake' })).toMatchObject({ status: 'cancelled' });
    expect(await shop.act('early', 'pay')).toMatchObject({ status: 409, type: '/problems/wrong-status' });
    const nobody = await Promise.all([
      ...['pay', 'ship', 'cancel', 'refund'].map((path) => shop.act('nobody', path)),
      ...['', '/events', '/trace'].map(async (path) => (await client.get(`/api/orders/nobody${path}`)).json),
    ]);
    for (const answer of nobody) expect(answer).toMatchObject({ status: 404, type: '/problems/not-found' });
  });
});

interface ListAnswer {
  readonly orders: readonly { readonly orderId: string }[];
  readonly count: number;
  readonly next: string | null;
}

/** All pages of a list. */
const pages = async (query: string, limit: number): Promise<string[][]> => {
  const found: string[][] = [];
  let cursor: string | null = '';
  do {
    const path: string = `/api/orders?${query}&limit=${limit}${cursor && `&cursor=${cursor}`}`;
    const { orders, next, count }: ListAnswer = (await client.get(path)).json;
    found.push(orders.map(({ orderId }) => orderId));
    expect(count).toBe(5);
    cursor = next;
  } while (cursor !== null);
  return found;
};

describe('the list of orders', () => {
  it('comes in pages, newest first or by number, filtered and searched', async () => {
    const ids = ['p3', 'p1', 'p5', 'p2', 'p4'];
    await seed(shop, ids, { country: 'Peru' });
    const newest = ids.toReversed();
    expect(await pages('country=Peru', 2)).toEqual([newest.slice(0, 2), newest.slice(2, 4), newest.slice(4)]);
    expect(await pages('country=Peru&order=newest', 5)).toEqual([newest]);
    expect(await pages('country=Peru&order=number', 3)).toEqual([
      ['p1', 'p2', 'p3'],
      ['p4', 'p5'],
    ]);
    expect(await pages('search=CUSTOMER-p', 2)).toEqual([newest.slice(0, 2), newest.slice(2, 4), newest.slice(4)]);
    expect(await pages('search=peru&order=number', 4)).toEqual([['p1', 'p2', 'p3', 'p4'], ['p5']]);
    await shop.act('p1', 'pay');
    expect((await client.get('/api/orders?status=paid&country=Peru')).json).toMatchObject({
      orders: [{ orderId: 'p1', status: 'paid' }],
      count: 1,
      next: null,
    });
    expect((await client.get('/api/orders?search=nothing-like-it')).json).toEqual({ orders: [], count: 0, next: null });
  });

  it('adds up in the statistics', async () => {
    await seed(shop, ['s1'], { country: 'Sweden' });
    await seed(shop, ['s2'], { country: 'Sweden' }, [(orderId) => new CancelOrder(orderId)]);
    const { json } = await client.get('/api/statistics');
    expect(json.byCountry).toContainEqual({ key: 'Sweden', orders: 1, revenue: '2.50' });
    expect(json.byStatus.map(({ key }: { key: string }) => key)).toContain('cancelled');
    const day = new Date().toISOString().slice(0, 10);
    expect(json.byDay.at(-1)).toMatchObject({ revenue: json.revenue });
    expect(json.byDay.at(-1).key <= day).toBe(true);
  });
});

/** As fetch would not send it: any Host, and no content type. */
async function raw(method: string, path: string, headers: Record<string, string>, body: string | undefined) {
  const { port } = new URL(shop.url);
  const lines = Object.entries({ host: `localhost:${port}`, connection: 'close', ...headers });
  if (body !== undefined) lines.push(['content-length', `${Buffer.byteLength(body)}`]);
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const socket = connect(Number(port), '127.0.0.1');
  let text = '';
  await new Promise<void>((resolve) => {
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    // What is too large is not read to its end.
    socket.on('error', () => resolve()).on('close', () => resolve());
    socket.write(head + (body ?? ''));
  });
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]),
    type: /^content-type: ([^;\r]+)/im.exec(text)?.[1],
    body: text.slice(text.indexOf('\r\n\r\n') + 4),
  };
}

describe('what is refused', () => {
  const json = { 'content-type': 'application/json' };
  const forged = Buffer.from(JSON.stringify(['newest', 9e15, 'x'])).toString('base64url');
  it.each([
    ['GET', '/nowhere', {}, undefined, 404, 'nothing at /nowhere'],
    ['GET', '/api/orders?limit=0', {}, undefined, 400, '"path":"limit"'],
    ['GET', '/api/orders?status=lost', {}, undefined, 400, '"path":"status"'],
    ['GET', '/api/orders?cursor=bm9uZQ', {}, undefined, 400, 'cursor'],
    ['GET', `/api/orders?cursor=${forged}`, {}, undefined, 400, 'cursor'],
    ['GET', '/api/orders/..', {}, undefined, 400, '"path":"id"'],
    ['POST', '/api/orders', json, '{"orderId":"."}', 400, '"path":"orderId"'],
    ['GET', '/bent%6f/x', {}, undefined, 404, 'nothing at /bent%6f/x'],
    ['GET', '/bento/../x', {}, undefined, 401, 'token'],
    ['GET', '/api/orders', { host: 'evil.example' }, undefined, 403, 'localhost'],
    ['GET', '/api/orders/%E0', {}, undefined, 400, ''],
    ['POST', '/api/orders', json, '{"country":', 400, 'JSON'],
    ['POST', '/api/orders', json, '{}', 400, '"path":"country"'],
    ['POST', '/api/orders', json, JSON.stringify({ country: ' ', lines: [] }), 400, '"path":"lines"'],
    [
      'POST',
      '/api/orders',
      json,
      JSON.stringify({ country: 'x', lines: [{ sku: 'a', quantity: 1, unitPrice: '-1' }] }),
      400,
      'lines[0].unitPrice',
    ],
    ['POST', '/api/orders', { ...json, origin: 'http://evil.example' }, '{}', 403, 'Another site'],
    ['POST', '/api/orders', { ...json, origin: 'null' }, '{}', 403, 'Another site'],
    ['POST', '/api/orders', { 'content-type': 'text/plain' }, '{}', 415, 'application/json'],
    ['POST', '/api/orders', {}, '', 415, 'application/json'],
    ['POST', '/api/orders', json, `"${'x'.repeat(2_200_000)}"`, 413, 'too large'],
    ['DELETE', '/api/orders', json, '{}', 404, 'nothing at'],
    ['POST', '/api/failed/redrive', json, '{"topic":"nowhere","group":"none"}', 200, '"done":0'],
    ['POST', '/bento/listTopics', json, '[]', 401, 'token'],
  ])('%s %s with %j: %#', async (method, path, headers, body, status, told) => {
    const answer = await raw(method, path, headers, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(told);
    if (status < 400 || path.startsWith('/bento/')) return;
    expect(answer.type).toBe('application/problem+json');
    expect(JSON.parse(answer.body)).toMatchObject({ status, type: expect.any(String), title: expect.any(String) });
  });
});

it('the stream has no HEAD', async () => {
  expect(await raw('HEAD', '/api/stream', {}, undefined)).toMatchObject({ status: 404, body: '' });
});

describe('the document', () => {
  it('had every answer of these tests checked, of these routes', () => {
    expect(client.succeeded()).toEqual([
      'GET /api/orders',
      'GET /api/orders/{id}',
      'GET /api/orders/{id}/events',
      'GET /api/orders/{id}/trace',
      'GET /api/statistics',
      'POST /api/orders',
      'POST /api/orders/{id}/cancel',
      'POST /api/orders/{id}/pay',
      'POST /api/orders/{id}/refund',
      'POST /api/orders/{id}/ship',
    ]);
  });
});
