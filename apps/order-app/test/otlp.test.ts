// Traces of the application, as a user has them exported.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Ended, Folders, root, run, start, until } from './cli.ts';
import { Collector } from './collector.ts';

const folders = new Folders();
const collectors: Collector[] = [];
afterAll(async () => {
  await Promise.all([...collectors.map((one) => one.stop()), folders.remove()]);
});
async function newCollector(answers = true): Promise<Collector> {
  const made = await Collector.start(answers);
  collectors.push(made);
  return made;
}

/** Places one order in a folder of its own; `file` is its bento.config.json. */
async function placing(env: Readonly<Record<string, string>>, file: object = {}): Promise<Ended> {
  const cwd = await folders.make();
  await writeFile(join(cwd, 'bento.config.json'), JSON.stringify(file));
  return await run(['place', 'T-1', '--country', 'Italy', '--line', 'A1:2:4.995'], { cwd, env });
}
/** First spans of traces; a batch that is received has one of its own, with links. */
const rootsOf = ({ spans }: Collector): string[] =>
  spans.flatMap(({ name, parentSpanId }) => (parentSpanId === undefined && !name.startsWith('receive') ? [name] : []));

/** Takes what it is sent, and takes it and never answers. */
const [collector, silent] = await Promise.all([newCollector(), newCollector(false)]);
/** The commands, side by side: each is a process that starts an engine. */
let runs: { readonly exported: Ended; readonly unset: Ended; readonly unanswered: Ended };
beforeAll(async () => {
  const [exported, unset, unanswered] = await Promise.all([
    placing(
      { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc', OTEL_RESOURCE_ATTRIBUTES: 'service.version=7' },
      { traces: { endpoint: collector.url, serviceName: 'shop' } },
    ),
    placing({ NODE_OPTIONS: `--import=${pathToFileURL(join(root, 'apps/order-app/test/loaded.mjs')).href}` }),
    // A batch for each span.
    placing({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${silent.url}/traces`, OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1' }),
  ]);
  runs = { exported, unset, unanswered };
});

it('a command exports one trace, from itself to the projection', () => {
  expect(runs.exported).toMatchObject({ code: 0, stderr: '' });
  expect(new Set(collector.requests.map(({ path }) => path))).toEqual(new Set(['POST /v1/traces']));
  expect(collector.requests[0]?.authorization).toBe('Bearer abc');
  expect(collector.resource).toMatchObject({ 'service.name': 'shop', 'service.version': '7' });
  expect(collector.resource['service.instance.id']).toMatch(/^[\da-f-]{36}$/);
  const way = ['process orders', 'send orders', 'append order', 'execute PlaceOrder'];
  // The read model, and the notifications.
  expect(collector.waysOf('process orders')).toEqual([way, way]);
  expect(rootsOf(collector)).toEqual(['execute PlaceOrder']);
});

it('without a collector nothing of the SDK is loaded', () => {
  expect(runs.unset).toMatchObject({ code: 0, stderr: 'loaded: \n' });
});

it('a collector that does not answer costs one line, and keeps nobody from the end', () => {
  const { code, stdout, stderr } = runs.unanswered;
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('placed') });
  expect(JSON.parse(stderr)).toMatchObject({
    level: 'warn',
    message: 'traces are lost: the collector does not take them',
    reason: 'Request timed out',
  });
  // The exporter's own patience is 10 seconds.
  expect(silent.requests.length).toBeGreaterThan(1);
  expect(silent.heldMs).toBeLessThan(8_000);
});

it('a shop that is served exports a trace a command, and nothing of who only looks', async () => {
  const own = await newCollector();
  const data = join(await folders.make(), 'data');
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: own.url };
  const { child, written, ended } = start(['serve', '--port', '0', '--data', data], { env });
  await until('it answers', () => written.stderr.includes('answers at') || child.exitCode !== null);
  const url = /answers at (http:\/\/127\.0\.0\.1:\d+)/.exec(written.stderr)?.[1];
  if (url === undefined) throw new Error(written.stderr);
  const lines = [{ sku: 'A1', description: 'MUG', quantity: 2, unitPrice: '1.25' }];
  const { status } = await fetch(`${url}/api/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ orderId: 'T-1', country: 'France', lines }),
  });
  expect(status).toBe(201);
  for (const path of [
    '/',
    '/metrics',
    '/health/live',
    '/health/ready',
    '/api/orders',
    '/api/statistics',
    '/api/groups',
  ])
    expect(await fetch(url + path)).toMatchObject({ status: 200 });
  // A caller that is traced itself.
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await fetch(`${url}/api/orders/T-1`, { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 143 });

  const way = ['process orders', 'send orders', 'append order', 'execute PlaceOrder', 'POST /api/orders'];
  expect(own.waysOf('process orders')).toEqual([way, way]);
  expect(own.spans.filter(({ name }) => name.startsWith('GET'))).toMatchObject([
    { name: 'GET /api/orders/:id', traceId, parentSpanId: 'b7ad6b7169203331' },
  ]);
  expect(rootsOf(own)).toEqual(['POST /api/orders']);
});
