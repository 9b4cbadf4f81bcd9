// commit -> relay -> bus -> handler. Only here event sourcing and the in-process bus may meet, by the layer rule.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createJsonCodec } from '@bento-bus/codecs';
import { type CheckpointStore, createMessageBus, type EventStore, headerNames } from '@bento-bus/core';
import { createInMemoryEventStore, createRelay, createUnitOfWork } from '@bento-bus/eventsourcing';
import { createInProcessTransport, createMemoryCheckpointStore } from '@bento-bus/inprocess-bus';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Child, startChild } from './child.ts';
import { openFileEventStore } from './file-stores.ts';
import { Order, orderEvents } from './shop.ts';

const notifier = fileURLToPath(new URL('./notifier.ts', import.meta.url));
let folder = '';
const children: Child[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bento-relay-'));
});
afterEach(async () => {
  for (const { child } of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = Date.now() + 15_000; !(await holds()); await delay(5))
    if (Date.now() > deadline) throw new Error(`it did not come about that ${what}`);
};
const ids = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, i) => `o-${from + i}`);
const place = async (store: EventStore, orders: readonly string[], onCommit?: () => void): Promise<void> => {
  const unitOfWork = createUnitOfWork({ store, ...(onCommit && { onCommit }) });
  for (const id of orders)
    await unitOfWork.run(async (unit) => (await unit.load(Order, id)).place('France'), {
      metadata: { correlationId: `import-${id}` },
    });
};

/** One life of an application: a group that notes the orders it is told of, behind a relay. */
interface Life extends AsyncDisposable {
  readonly notified: string[];
  readonly headers: Readonly<Record<string, string>>[];
  readonly wake: () => void;
  /** The relay has passed the store's head. */
  readonly caughtUp: () => Promise<void>;
}
async function live(
  store: EventStore,
  checkpoints: CheckpointStore,
  options: { readonly startPosition?: 'earliest' | 'latest'; readonly pollMs?: number } = {},
): Promise<Life> {
  const { startPosition = 'earliest', pollMs = 60_000 } = options;
  const codec = createJsonCodec();
  const transport = createInProcessTransport({ checkpoints });
  const bus = createMessageBus({ transport, codec, source: 'shop' });
  const relay = createRelay({ store, transport, catalogues: [orderEvents], codec, source: 'shop', pollMs });
  const notified: string[] = [];
  const headers: Readonly<Record<string, string>>[] = [];
  await bus.subscribe(
    [orderEvents['order.placed']],
    ({ data }, context) => {
      notified.push(data.orderId);
      headers.push(context.headers);
    },
    { group: 'mail', startPosition },
  );
  await relay.start();
  return {
    notified,
    headers,
    wake: () => relay.wake(),
    caughtUp: async () => {
      relay.wake();
      await until('the relay is at the head', async () => relay.position >= (await store.head()));
    },
    [Symbol.asyncDispose]: async () => {
      await relay.close();
      await bus.close();
      await transport.close();
    },
  };
}

describe('the way of an event', () => {
  it('leads from a commit, which wakes the relay, over the bus to the handler, with its place in the store', async () => {
    const store = createInMemoryEventStore();
    await using life = await live(store, createMemoryCheckpointStore());
    await place(store, ids(1, 3), life.wake);
    await until('all are notified', () => life.notified.length === 3);
    expect(life.notified).toEqual(ids(1, 3));
    expect(life.headers[2]).toMatchObject({
      [headerNames.position]: await store.head(),
      [headerNames.streamType]: 'order',
      [headerNames.streamId]: 'o-3',
      [headerNames.streamVersion]: '1',
      [headerNames.correlationId]: 'import-o-3',
    });
  });

  it('is found by polling when another process commits', async () => {
    const store = openFileEventStore(folder);
    await using life = await live(store, createMemoryCheckpointStore(), { pollMs: 20 });
    const other = startChild([notifier, folder, '5', 'place']);
    children.push(other);
    const [code] = await once(other.child, 'close');
    expect([code, other.output()]).toEqual([0, '']);
    await until('all are notified', () => life.notified.length === 5);
    expect(life.notified.toSorted()).toEqual(ids(1, 5));
  });
});

describe('a restart', () => {
  it('does not notify of an old import again', async () => {
    const store = createInMemoryEventStore();
    const checkpoints = createMemoryCheckpointStore();
    await place(store, ids(1, 1_200));
    {
      await using life = await live(store, checkpoints);
      await until('the import is notified', () => life.notified.length === 1_200);
    }
    await place(store, ids(1, 1_201));
    await using life = await live(store, checkpoints);
    await until('the new one is notified', () => life.notified.length > 0);
    await life.caughtUp();
    expect(life.notified).toEqual(['o-1201']);
  });

  it('notifies a group that begins at the latest of nothing older, though it handled nothing in its first life', async () => {
    const store = createInMemoryEventStore();
    const checkpoints = createMemoryCheckpointStore();
    await place(store, ids(1, 50));
    {
      await using life = await live(store, checkpoints, { startPosition: 'latest' });
      await life.caughtUp();
      expect(life.notified).toEqual([]);
    }
    // Committed while nobody was there.
    await place(store, ids(51, 53));
    await using life = await live(store, checkpoints, { startPosition: 'latest' });
    await until('the new ones are notified', () => life.notified.length >= 3);
    await life.caughtUp();
    expect(life.notified).toEqual(ids(51, 53));
  });
});

/** Facts of the ledger, one list a life of the child. */
const readLives = async (): Promise<string[][]> => {
  const file = join(folder, 'ledger.txt');
  const text = existsSync(file) ? await readFile(file, 'utf8') : '';
  return text
    .split('boot\n')
    .slice(1)
    .map((life) => life.split('\n').slice(0, -1));
};
const idsOf = (facts: readonly string[], what: string): string[] =>
  facts.filter((fact) => fact.startsWith(`${what} `)).map((fact) => fact.slice(what.length + 1));

/** What was acknowledged for sure: done before the last progress but one that was stored began to be written. */
const acknowledged = (life: readonly string[]): string[] => {
  const saved = life.flatMap((fact, index) => (fact === 'saved' ? [index] : []));
  const before = saved.length < 2 ? 0 : life.lastIndexOf('saving', saved.at(-2));
  return idsOf(life.slice(0, before), 'done');
};

describe('SIGKILL between commit and handling', () => {
  it('loses no notification, and repeats only what was in flight', async () => {
    const total = 300;
    const done = async (): Promise<number> => new Set(idsOf((await readLives()).flat(), 'done')).size;
    const start = (): Child => {
      const child = startChild([notifier, folder, String(total), 'notify']);
      children.push(child);
      return child;
    };
    for (const share of [0.05, 0.2, 0.45, 0.6, 0.85]) {
      const { child, output } = start();
      await until(`${share} of all are done; ${output()}`, async () => (await done()) >= share * total);
      child.kill('SIGKILL');
      await once(child, 'close');
    }
    const { child, output } = start();
    await until('all are done', async () => (await done()) === total);
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect([code, output()]).toEqual([0, 'SIGTERM: draining, again to stop at once\n']);

    const lives = await readLives();
    expect(lives).toHaveLength(6);
    expect(new Set(idsOf(lives.flat(), 'done'))).toEqual(new Set(ids(1, total)));
    for (const [index, life] of lives.entries()) {
      const started = idsOf(life, 'started');
      expect(new Set(started).size).toBe(started.length);
      const repeated = new Set(lives.slice(index + 1).flatMap((next) => idsOf(next, 'started')));
      expect(acknowledged(life).filter((id) => repeated.has(id))).toEqual([]);
    }
    // The oracle has seen something: each life but the first few moments acknowledges.
    expect(lives.flatMap(acknowledged).length).toBeGreaterThan(total / 2);
    expect(idsOf(lives.flat(), 'started').length - total).toBeLessThanOrEqual(5 * 8);
  }, 60_000);
});
