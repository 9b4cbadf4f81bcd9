import assert from 'node:assert/strict';
import type { CheckpointedItem, CheckpointStore, Delivery } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { message, randomOf, settled } from '../../test/support.ts';
import { createVirtualClock } from '../virtual-clock.ts';
import { createInProcessTransport } from './transport.ts';

const events = 150;
const topics = ['orders', 'payments'];
const groups = ['mail', 'stock'];
const at = (place: number): string => String(place).padStart(6, '0');
const never = new Promise<never>(() => {});

const hops = async (count: number): Promise<void> => {
  for (let hop = 0; hop < count; hop++) await settled();
};

/** What one group has done over all processes. */
interface Ledger {
  /** Which process has finished an event last. */
  readonly finishedIn: Map<string, number>;
  /** By process: events that it had finished and that came again later. */
  readonly repeated: Map<number, Set<string>>;
}

/** One log, published and handled by processes that are killed at random moments, until everything is handled. */
async function run(seed: number): Promise<number> {
  const random = randomOf(seed);
  // Every fifth event belongs to no topic.
  const log = Array.from({ length: events }, (_, index): CheckpointedItem[] =>
    index % 5 === 4
      ? []
      : [
          {
            topic: topics[random(2)] as string,
            position: at(index + 1),
            message: message({ id: at(index + 1), key: `k${random(6)}` }),
          },
        ],
  );
  const wanted = log.flat().length;
  const disk = new Map<string, string>();
  const ledgers = groups.map((): Ledger => ({ finishedIn: new Map(), repeated: new Map() }));
  const complete = (): boolean => ledgers.every(({ finishedIn }) => finishedIn.size === wanted);

  /** One process; it is killed after so many turns. */
  const live = async (process: number, concurrency: number, turns: number): Promise<void> => {
    let alive = true;
    const isAlive = (): boolean => alive;
    const clock = createVirtualClock();
    const checkpoints: CheckpointStore = {
      read: async (name) => disk.get(name),
      write: async (name, value) => {
        await hops(random(3));
        if (!isAlive()) return never;
        disk.set(name, value);
        await hops(random(2));
        return isAlive() ? undefined : never;
      },
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
    const transport = createInProcessTransport({ checkpoints, clock, retention: 1 + random(40) });

    const handlerOf = ({ finishedIn, repeated }: Ledger) => {
      const keysAtWork = new Set<string>();
      const last = new Map<string, string>();
      return async ({ topic, attempt, message: { id, key = id } }: Delivery): Promise<void> => {
        if (!isAlive()) return never;
        assert.ok(!keysAtWork.has(key), `${key} is at work twice`);
        const lane = `${topic}/${key}`;
        assert.ok(id >= (last.get(lane) ?? ''), `${id} of ${lane} came late`);
        last.set(lane, id);
        const before = finishedIn.get(id);
        if (before !== undefined) {
          assert.ok(before < process, `${id} came twice to one process`);
          repeated.set(before, (repeated.get(before) ?? new Set()).add(id));
        }
        keysAtWork.add(key);
        await hops(random(4));
        keysAtWork.delete(key);
        if (!isAlive()) return never;
        if (attempt < 3 && random(8) === 0) throw new Error('an early attempt fails');
        finishedIn.set(id, process);
        return undefined;
      };
    };
    // So small a backlog that a failing message soon holds its topic, and with it the publisher.
    for (const [index, group] of groups.entries())
      await transport.subscribe(topics, handlerOf(ledgers[index] as Ledger), {
        group,
        concurrency,
        maxLaneBacklog: random(3),
      });

    const publisher = await transport.openCheckpointed('log', { topics });
    const relay = async (): Promise<void> => {
      for (let next = Number(publisher.resumeAfter); next < events; ) {
        const until = Math.min(events, next + 1 + random(20));
        await publisher.publish(log.slice(next, until).flat(), at(until));
        next = until;
        await hops(random(3));
      }
    };
    let relayed = false;
    const relaying = (async () => {
      await relay();
      relayed = true;
    })();
    // What a process finished and had not stored when it was killed comes again: it is not through before that is stored, too.
    const isThrough = (): boolean => complete() && relayed && groups.every((group) => transport.backlog(group) === 0);
    for (let turn = 0; turn < turns && !isThrough(); turn++) await clock.advance(random(100));
    if (!isThrough()) {
      alive = false;
      return;
    }
    await relaying;
    const closing = transport.close();
    await clock.advance(10_000);
    await closing;
  };

  const concurrencies: number[] = [];
  for (let kills = 1 + random(6); kills >= 0; kills--) {
    concurrencies.push(1 + random(5));
    await live(concurrencies.length - 1, concurrencies.at(-1) as number, kills === 0 ? 100_000 : random(40));
  }
  expect(complete()).toBe(true);
  let repeats = 0;
  for (const { repeated } of ledgers) {
    for (const [process, ids] of repeated) {
      repeats += ids.size;
      expect(ids.size).toBeLessThanOrEqual(concurrencies[process] as number);
    }
  }
  // Everything is acknowledged: the next process has nothing to publish again.
  const transport = createInProcessTransport({
    checkpoints: {
      read: async (name) => disk.get(name),
      write: async () => {},
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    },
  });
  for (const group of groups) await transport.subscribe(topics, async () => {}, { group });
  expect((await transport.openCheckpointed('log', { topics })).resumeAfter).toBe(at(events));
  await transport.close();
  return repeats;
}

describe('a log over crashes', () => {
  it('is handled whole, in order by key, and only what was in flight comes twice', async () => {
    let repeats = 0;
    for (let seed = 1; seed <= 25; seed++) {
      try {
        repeats += await run(seed);
      } catch (error) {
        throw new Error(`with seed ${seed}`, { cause: error });
      }
    }
    // Or nothing was tested.
    expect(repeats).toBeGreaterThan(5);
  });
});
