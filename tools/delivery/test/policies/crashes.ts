import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, seededRandom } from '@bento-bus/conformance';
import { deadLetterTopic, listDeadLetters, retry } from '@bento-bus/dlq';
import { startClickHouse } from '@bento-bus/stack';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Backend } from '../support/backends.ts';
import { type Child, startChild } from '../support/child.ts';
import { messageOf } from '../support/messages.ts';

const keys = 8;
const perKey = 6;
/** Milliseconds. */
const limit = 90_000;

/** `kills` deaths by SIGKILL, each at another step of retry, park, drain and redrive; then the ledger. */
export function crashScenarios(backend: Backend, kills: number): void {
  let clickhouse: Awaited<ReturnType<typeof startClickHouse>>;
  beforeAll(async () => {
    clickhouse = await startClickHouse();
  }, 60_000);
  afterAll(async () => {
    await clickhouse.stop();
  }, 30_000);

  it(`loses nothing and keeps parked keys in order over ${kills} SIGKILLs at steps of retry, park, drain and redrive`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bento-delivery-'));
    const seed = Number(process.env['DELIVERY_SEED'] ?? Date.now() % 1_000_000);
    const random = seededRandom(seed);
    const topic = backend.topic();
    const texts: string[] = [];
    for (let number = 1; number <= perKey; number += 1)
      for (let key = 0; key < keys; key += 1)
        texts.push(`k${key}:${number}:${key < 2 ? 'o' : (['f', 't', 'o', 'o'][Math.floor(random() * 4)] ?? 'o')}`);
    const lines = (name: string): string[] =>
      existsSync(`${folder}/${name}`) ? readFileSync(`${folder}/${name}`, 'utf8').split('\n').slice(0, -1) : [];
    let child: Child | undefined;
    const start = (phase: string, killAt: number): Child => {
      rmSync(`${folder}/ready`, { force: true });
      return startChild('policies/worker-child.ts', {
        ...backend.environment,
        DELIVERY_CLICKHOUSE: clickhouse.url,
        DELIVERY_TOPIC: topic,
        DELIVERY_FOLDER: folder,
        DELIVERY_KILL_PHASE: phase,
        DELIVERY_KILL_AT: String(killAt),
      });
    };
    const alive = async (check: () => boolean, what: string): Promise<void> => {
      await eventually(
        () => {
          assert.ok(check(), child?.output());
        },
        { what, deadlineMs: limit, intervalMs: 50 },
      );
    };
    /** Dies at a step of this phase, or has nothing left to do there. */
    const die = async (phase: string, most: number): Promise<void> => {
      child = start(phase, 1 + Math.floor(random() * most));
      const quiet = new Promise((resolve) => setTimeout(resolve, 15_000, 'quiet').unref());
      const end = await Promise.race([child.ended, quiet]);
      if (end === 'quiet') child.kill('SIGKILL');
      else assert.equal(end, 'SIGKILL', child.output());
      await child.ended;
    };
    try {
      const transport = await backend.open();
      await transport.publish(
        topic,
        texts.slice(0, texts.length / 2).map((text) => messageOf(text.split(':')[0] ?? '', text)),
      );
      for (let kill = 0; kill < Math.ceil(kills / 2); kill += 1) await die('fail', 25);
      await transport.publish(
        topic,
        texts.slice(texts.length / 2).map((text) => messageOf(text.split(':')[0] ?? '', text)),
      );
      child = start('none', 0);
      const fine = texts.filter((text) => !text.endsWith('f'));
      await alive(() => fine.every((text) => lines('plain').includes(text)), 'handling what can be handled');
      child.kill('SIGKILL');
      await child.ended;
      writeFileSync(`${folder}/mended`, '');
      for (let kill = 0; kill < Math.floor(kills / 2); kill += 1) await die('drain', 20);
      child = start('none', 0);
      for (const group of ['plain', 'parking'])
        await alive(
          () => texts.every((text) => lines(group).includes(text)),
          `handling everything in group ${group}, seed ${seed}`,
        );
      await alive(
        () => lines('parked').length === 0 && readFileSync(`${folder}/parked`, 'utf8') === '0',
        'an empty parking',
      );
      // In the order of the key, each at its first time.
      const handled = [...new Set(lines('parking'))];
      for (let key = 0; key < keys; key += 1)
        expect({ seed, order: handled.filter((text) => text.startsWith(`k${key}:`)) }).toEqual({
          seed,
          order: texts.filter((text) => text.startsWith(`k${key}:`)),
        });
      const copies = lines('plain').length + lines('parking').length - 2 * texts.length;
      process.stdout.write(
        `figure: ${backend.name}: ${lines('kills').length} kills at steps, ${copies} handled twice: ${lines('kills').join(', ')}\n`,
      );
    } finally {
      child?.kill('SIGKILL');
      await child?.ended;
      rmSync(folder, { recursive: true, force: true });
    }
  }, 600_000);
}

/** The server is away while a dead letter is to be stored. */
export function outageScenarios(backend: Backend, outageMs: number): void {
  it('acknowledges nothing while the server is away, and loses nothing', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const starts: string[] = [];
    let isAway = false;
    const server = backend.server;
    assert.ok(server);
    await transport.subscribe(
      [topic],
      async ({ message }) => {
        starts.push(message.id);
        // Not before the server is away: its dead letter cannot be stored then.
        if (!isAway) {
          isAway = true;
          await server.kill();
        }
        throw new Error('poison');
      },
      { group: 'mail', use: [retry({ attempts: 1 })] },
    );
    const messages = ['a', 'b', 'c'].map((key) => messageOf(key, key));
    await transport.publish(topic, messages);
    await eventually(() => starts.length > 0, { what: 'a first handling', deadlineMs: 30_000 });
    await new Promise((resolve) => setTimeout(resolve, outageMs));
    await server.restart();
    const other = await backend.open();
    expect(starts.length).toBeGreaterThan(0);
    await eventually(
      async () => {
        const letters = await listDeadLetters({ transport: other, topic, group: 'mail', idleMs: 2_000 });
        assert.deepEqual(
          [...new Set(letters.map(({ message }) => message.id))].toSorted(),
          messages.map(({ id }) => id).toSorted(),
          deadLetterTopic(topic, 'mail'),
        );
      },
      { what: 'all dead letters', deadlineMs: 90_000, intervalMs: 500 },
    );
  }, 150_000);
}
