import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClickHouse } from '@bento-bus/clickhouse-store';
import type { StoredEvent } from '@bento-bus/core';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startChild } from './support/child.ts';
import { all, newEvents, order, thrown } from './support/engine.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'bento-clickhouse-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const day = (time: number): string => new Date(time).toISOString().slice(0, 10);

interface Outcome {
  readonly code?: string;
  readonly message?: string;
  readonly retryable?: boolean;
  readonly identity?: string;
}

async function opensIn(path: string, ...more: readonly string[]): Promise<Outcome & { readonly stderr: string }> {
  const child = startChild('program.open.ts', [path, ...more]);
  await child.ended;
  return { ...(JSON.parse(child.stdout()) as Outcome), stderr: child.stderr() };
}

describe('two processes on one data directory', () => {
  it('the second gets one line that names the first, and nothing on stderr; after it has closed or died the directory opens', async () => {
    const path = join(scratch, 'shared');
    const holder = startChild('program.holder.ts', [path]);
    await holder.seen('open');
    const message = `clickhouse-store: cannot open the data directory "${path}": it is in use by another process (pid ${holder.process.pid}). Stop that process, or use another directory; several processes need a ClickHouse server (option url, CLICKHOUSE_HOST).`;
    const error = await thrown(openClickHouse({ path }));
    expect(error).toMatchObject({ code: 'CONNECTION', retryable: true, message });
    expect(await opensIn(path)).toEqual({ code: 'CONNECTION', message, retryable: true, stderr: '' });

    holder.process.kill('SIGTERM');
    await holder.ended;
    expect(holder.stdout()).toContain('closed');
    const { identity } = await opensIn(path);
    expect(identity).toEqual(expect.any(String));

    const killed = startChild('program.holder.ts', [path]);
    await killed.seen('open');
    killed.process.kill('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    const opened = await openClickHouse({ path });
    expect(opened.eventStore.identity).toBe(identity);
    await opened.close();
  }, 30_000);
});

describe('SIGKILL of a process that writes', () => {
  it('at random moments: what was acknowledged is stored, saves are whole, versions have no gap, and so on in the same directory', async () => {
    const path = join(scratch, 'killed');
    const acknowledged = new Map<string, { readonly id: string; readonly count: number }>();
    let checkpoint = '';
    for (let round = 0; round < 4; round += 1) {
      const writer = startChild('program.writer.ts', [path, String(round)]);
      await writer.seen('open');
      // A number of acknowledgements rather than a time: the moment within a group commit is random all the same.
      const enough = Math.floor(Math.random() * 150);
      while (writer.stdout().split('\nsaved ').length <= enough) {
        expect(writer.process.exitCode).toBeNull();
        await new Promise((resolve) => {
          writer.process.once('printed', resolve);
        });
      }
      writer.process.kill('SIGKILL');
      expect(await writer.ended).toBe('SIGKILL');
      expect(writer.stderr()).toBe('');
      for (const [, id = '', save = '', count] of writer.stdout().matchAll(/^saved (\S+) (\S+) (\d+)$/gm))
        acknowledged.set(save, { id, count: Number(count) });
      checkpoint = [...writer.stdout().matchAll(/^checkpoint (\S+)$/gm)].at(-1)?.[1] ?? checkpoint;
    }
    expect(acknowledged.size).toBeGreaterThan(0);

    const opened = await openClickHouse({ path });
    const { eventStore, checkpoints, client } = opened;
    const log = await all(eventStore.readAll(''));
    const saves = new Map<string, StoredEvent[]>();
    const versions = new Map<string, number>();
    for (const event of log) {
      const { save } = event.data as { readonly save: string };
      saves.set(save, [...(saves.get(save) ?? []), event]);
      expect(event.streamVersion).toBe((versions.get(event.stream.id) ?? 0) + 1);
      versions.set(event.stream.id, event.streamVersion);
    }
    for (const [save, { id, count }] of acknowledged)
      expect(saves.get(save)?.map(({ stream, data }) => [stream.id, data])).toEqual(
        Array.from({ length: count }, (_, i) => [id, { save, i, count }]),
      );
    for (const events of saves.values())
      expect(events.map(({ data }) => data)).toEqual(
        events.map((_, i) => expect.objectContaining({ i, count: events.length })),
      );
    const rows = await (
      await client.query({
        query:
          'SELECT batch, uniqExact(writer), max(idx) + 1 - count() FROM bento.events GROUP BY batch ORDER BY batch',
        format: 'JSONCompactEachRow',
      })
    ).json<(number | string)[]>();
    expect(rows.map((row) => row.map(Number))).toEqual(rows.map((_, i) => [i + 1, 1, 0]));
    const progress = (await checkpoints.read('progress')) ?? '';
    expect(progress >= checkpoint).toBe(true);
    await eventStore.saveEvents(order('shared'), newEvents(1), versions.get('shared') ?? 0);
    await opened.close();
  }, 60_000);
});

describe('the time zone of the process', () => {
  it('changes nothing: New York and Kathmandu read what UTC wrote', async () => {
    const outcomes = await Promise.all(
      ['America/New_York', 'Asia/Kathmandu'].map(async (zone, i) => {
        const child = startChild('program.time-zone.ts', [join(scratch, `zone-${i}`)], { TZ: zone });
        await child.ended;
        expect(child.stderr()).toBe('');
        return JSON.parse(child.stdout()) as Record<string, unknown> & {
          readonly times: number[];
          readonly age: number;
        };
      }),
    );
    expect(outcomes.map(({ zone }) => zone)).toEqual([19, 5]);
    for (const { times, loaded, read, found, days, text, age } of outcomes) {
      expect(loaded).toEqual(times);
      expect(read).toEqual(times);
      const sorted = times.toSorted((a, b) => a - b);
      expect(found).toEqual(sorted.map((at) => ({ at, day: day(at) })));
      expect(days).toEqual(
        [...new Set(sorted.map(day))].map((one) => ({
          day: one,
          count: sorted.filter((at) => day(at) === one).length,
        })),
      );
      expect(text).toEqual(times.map((time) => new Date(time).toISOString().slice(0, 23).replace('T', ' ')));
      expect(age).toBeLessThan(60);
    }
  }, 30_000);
});

describe('without the engine', () => {
  const alternatives =
    'Install it (npm install chdb; Linux with glibc or macOS, x64 or arm64), or use a server (option url, CLICKHOUSE_HOST).';

  it('on a platform it does not know: one line that names the alternatives, and no directory is made', async () => {
    const path = join(scratch, 'unsupported');
    expect(await opensIn(path, 'win32')).toEqual({
      code: 'UNSUPPORTED',
      message: `clickhouse-store: cannot open the data directory "${path}": the embedded engine, package chdb, does not run here (win32-${process.arch}). ${alternatives}`,
      retryable: false,
      stderr: '',
    });
    expect(existsSync(path)).toBe(false);
  });

  it('where it is not installed: one line that names the alternatives', async () => {
    const path = join(scratch, 'missing');
    const hook = new URL('support/without-chdb.mjs', import.meta.url).href;
    const child = startChild('program.open.ts', [path], {}, ['--import', hook]);
    await child.ended;
    expect(JSON.parse(child.stdout())).toEqual({
      code: 'UNSUPPORTED',
      message: `clickhouse-store: cannot open the data directory "${path}": the embedded engine, package chdb, is not installed. ${alternatives}`,
      retryable: false,
    });
  });
});
