import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type ClickHouse, openClickHouse } from '@bento-bus/clickhouse-store';
import { defineReadModel } from '@bento-bus/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { all, Engine, newEvent, newEvents, order, thrown, times } from './support/engine.ts';
import { credentials, type HttpFacade, httpFacade } from './support/http-facade.ts';

const engine = new Engine();
let embedded: ClickHouse;
let facade: HttpFacade;
let opened: ClickHouse;
beforeAll(async () => {
  embedded = await engine.open();
  facade = await httpFacade(embedded.client);
  opened = await openClickHouse({ url: facade.url, ...credentials, database: engine.newDatabase() });
});
afterAll(async () => {
  await opened.close();
  await facade.close();
  await engine.close();
});

const nasty = 'a\'b\\c"\n\t {x:String};😀';

describe('by URL (the stock HTTP client against a facade over the engine)', () => {
  it('makes the schema and saves, loads and reads events', async () => {
    expect(opened).toMatchObject({ embedded: false });
    const events = [newEvent({ nasty }, { metadata: { nasty } }), newEvent(nasty)];
    const position = await opened.eventStore.saveEvents({ type: nasty, id: nasty }, events, 0);
    expect((await all(opened.eventStore.getEvents({ type: nasty, id: nasty }))).map(({ data }) => data)).toEqual([
      { nasty },
      nasty,
    ]);
    expect((await all(opened.eventStore.readAll(''))).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
    expect(await opened.eventStore.head()).toBe(position);
    expect(await thrown(opened.eventStore.saveEvents({ type: nasty, id: nasty }, newEvents(1), 0))).toMatchObject({
      code: 'CONCURRENCY',
    });
  });

  it('loads 500 streams with one request, whose parameters are too long for a URL', async () => {
    await times(500, (i) => opened.eventStore.saveEvents(order(`${nasty}-${i}-${'x'.repeat(20)}`), newEvents(1), 0));
    facade.requests.length = 0;
    const loaded = await times(500, (i) => all(opened.eventStore.getEvents(order(`${nasty}-${i}-${'x'.repeat(20)}`))));
    expect(loaded.every((events) => events.length === 1)).toBe(true);
    expect(facade.requests.length).toBeLessThanOrEqual(4);
    expect(facade.requests.some(({ multipart }) => multipart)).toBe(true);
  });

  it('has one winner a version among a writer by URL and an embedded one', async () => {
    const other = await engine.open({ database: opened.database });
    const outcomes = await Promise.allSettled(
      [opened, other, opened, other].map(({ eventStore }) => eventStore.saveEvents(order('race'), newEvents(1), 0)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await all(opened.eventStore.getEvents(order('race')))).toHaveLength(1);
  });

  it('writes and reads checkpoints and read models', async () => {
    await opened.checkpoints.write(nasty, nasty);
    expect(await opened.checkpoints.read(nasty)).toBe(nasty);
    const model = defineReadModel({
      name: 'm',
      version: 1,
      key: ['id'],
      columns: { id: 'string', sum: 'decimal', at: 'time', day: 'date', n: 'integer' },
    });
    const rows = [nasty, 'b'].map((id, n) => ({
      row: { id, sum: '0.1', at: n, day: '2026-01-01', n },
      streamVersion: 1,
    }));
    await opened.readModels.ensure([model]);
    await opened.readModels.write(model, rows);
    expect(await opened.readModels.get(model, [{ id: nasty }])).toEqual([rows[0]]);
    expect(
      await opened.readModels.find(model, {
        where: { sum: ['0.1', '5'], at: [0, 1], day: '2026-01-01', n: [0, 1] },
        after: { id: nasty },
      }),
    ).toEqual([rows[1]?.row]);
    expect(await opened.readModels.totals(model, { sum: ['sum'] })).toEqual([{ sum: '0.2', count: 2 }]);
  });
});

const line = async (
  options: Parameters<typeof openClickHouse>[0],
): Promise<{ code: string | undefined; message: string }> => {
  const { code, message } = await thrown(openClickHouse(options));
  expect(message).not.toContain('\n');
  return { code, message };
};

describe('a server that cannot be used is one typed line', () => {
  it('wrong password', async () => {
    expect(await line({ url: facade.url, username: 'bento', password: 'wrong' })).toEqual({
      code: 'AUTHENTICATION',
      message: expect.stringMatching(
        /^clickhouse-store: cannot prepare database "bento": .*Authentication failed.*\. Check user name and password\.$/,
      ),
    });
  });

  it('nobody listens', async () => {
    const listener = createTcpServer();
    await new Promise<void>((resolve) => {
      listener.listen(0, '127.0.0.1', resolve);
    });
    const { port } = listener.address() as AddressInfo;
    await new Promise((resolve) => {
      listener.close(resolve);
    });
    expect(await line({ url: `http://localhost:${port}` })).toEqual({
      code: 'CONNECTION',
      message: expect.stringMatching(
        new RegExp(`ECONNREFUSED.*:${port}.*\\. Check that the server runs and the URL is right\\.$`),
      ),
    });
  });

  it('an unknown host', async () => {
    expect(await line({ url: 'http://no-such-host.invalid:8123' })).toMatchObject({ code: 'CONNECTION' });
  });

  it('something else answers', async () => {
    const other = createServer((_, response) => response.writeHead(404).end('<h1>Not found</h1>'));
    await new Promise<void>((resolve) => {
      other.listen(0, '127.0.0.1', resolve);
    });
    const { port } = other.address() as AddressInfo;
    expect(await line({ url: `http://127.0.0.1:${port}` })).toEqual({
      code: 'CONNECTION',
      message: expect.stringContaining('Not found'),
    });
    other.closeAllConnections();
    other.close();
  });

  it('no answer in time', async () => {
    const silent = createTcpServer((socket) => socket.resume());
    await new Promise<void>((resolve) => {
      silent.listen(0, '127.0.0.1', resolve);
    });
    const { port } = silent.address() as AddressInfo;
    expect(await line({ url: `http://127.0.0.1:${port}`, requestTimeoutMs: 100 })).toMatchObject({ code: 'TIMEOUT' });
    silent.close();
  });
});
