import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Operations } from '@bento-bus/admin';
import type { StoredEvent } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { bento, json } from './support.ts';

describe('a change that may delete messages', () => {
  const changes: unknown[] = [];
  const operations = {
    configureTopic: async (_topic: string, config: object) => void changes.push(config),
    describeTopic: async (topic: string) => ({ topic, partitions: [], config: {} }),
  } as unknown as Operations;

  it('is asked about: topics config', async () => {
    const argv = ['topics', 'config', 'orders'];
    for (const setting of [['retention.ms=1'], ['--unset', 'cleanup.policy'], ['retention={}'], ['messageTTL=1']]) {
      const refused = await bento([...argv, ...setting], { operations });
      expect(refused).toMatchObject({
        code: 2,
        out: '',
        err: expect.stringMatching(/cannot change .* Add --yes\.\n$/),
      });
    }
    const no = await bento([...argv, 'retention.ms=1'], { operations, terminal: true, stdin: 'n\n' });
    expect(no).toMatchObject({ code: 1, err: expect.stringContaining('by which messages may be deleted. Go on?') });
    expect(changes).toEqual([]);
    expect(await bento([...argv, 'retention.ms=1', '--yes'], { operations })).toMatchObject({ code: 0 });
    expect(await bento([...argv, 'max.message.bytes=1'], { operations })).toMatchObject({ code: 0 });
    expect(await bento(argv, { operations })).toMatchObject({ code: 0 });
    expect(changes).toEqual([{ 'retention.ms': '1' }, { 'max.message.bytes': '1' }]);
  });

  it.each([
    ['set', 'retention', '{"retentionTimeInMinutes":1,"retentionSizeInMB":1}'],
    ['set', 'messageTTL', '1'],
    ['unset', 'messageTTL'],
  ])('is asked about: pulsar policies %s %s', async (...argv) => {
    const env = { PULSAR_WEB_URL: 'http://127.0.0.1:1' };
    const outcome = await bento(['pulsar', 'policies', ...argv, '--topic', 'orders', '--backend', 'pulsar'], { env });
    expect(outcome).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/cannot change .* Add --yes\.\n$/) });
  });
});

it('a look makes no database in ClickHouse, and says that there is none', async () => {
  const queries: string[] = [];
  // Whatever it is asked: there are no rows.
  const server = createServer((request, response) => {
    let query = decodeURIComponent(request.url ?? '');
    request.on('data', (part: Buffer) => (query += part.toString()));
    request.on('end', () => {
      queries.push(query);
      response.end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const env = { CLICKHOUSE_HOST: `127.0.0.1:${(server.address() as AddressInfo).port}` };
  for (const argv of [
    ['events', 'log'],
    ['events', 'stream', 'order', 'o-1'],
    ['projections', 'status'],
    ['relay', 'status', '--backend', 'kafka'],
    ['dlq', 'list', '--backend', 'kafka'],
  ]) {
    const { code, out, err } = await bento(argv, { env });
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/cannot open database "bento": it does not exist\. Start the application once[^\n]+\n$/);
  }
  server.closeAllConnections();
  server.close();
  expect(queries.join('\n')).toContain('system.databases');
  expect(queries.join('\n')).not.toMatch(/CREATE|INSERT/i);
});

it('events stream shows 1,000 events unless more are wanted, and says where it goes on', async () => {
  const all = Array.from({ length: 1_200 }, (_, n) => ({
    id: `e-${n}`,
    type: 'a',
    version: 1,
    data: {},
    time: 0,
    position: `${n}`,
    streamVersion: n + 1,
    stream: { type: 'order', id: 'o-1' },
  })) as unknown as readonly StoredEvent[];
  const operations = {
    stream: async (_: unknown, { from = 1, limit = Infinity }: { readonly from?: number; readonly limit?: number }) =>
      all.slice(from - 1, from - 1 + limit),
  } as unknown as Operations;
  const argv = ['events', 'stream', 'order', 'o-1', '--json'];
  const first = await bento(argv, { operations });
  expect(json<readonly unknown[]>(first)).toHaveLength(1_000);
  expect(first.err).toBe('There are more: events stream order o-1 --from 1001\n');
  const rest = await bento([...argv, '--from', '1001'], { operations });
  expect(json<readonly unknown[]>(rest)).toHaveLength(200);
  expect(rest.err).toBe('');
  expect(json<readonly unknown[]>(await bento([...argv, '--limit', '1200'], { operations }))).toHaveLength(1_200);
});
