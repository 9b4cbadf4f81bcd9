// Whatever the order of batches, redeliveries and crashes, rows end as in a straight run: seeded, so that a failure can be run again.
import {
  type BatchHandler,
  BentoError,
  type Delivery,
  defineReadModel,
  type ReadModelStore,
  type Subscriber,
  type SubscriptionContext,
} from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import {
  createInMemoryReadModels,
  createProjector,
  defineProjection,
  failedEvents,
  type Projector,
} from '../src/index.ts';
import { createInMemoryCheckpoints } from '../src/verified-progress.ts';
import { jsonCodec } from './support/log-backend.ts';
import { orderEvents, orderLines, orderProjection, orders } from './support/orders.ts';
import { watchedReadModels } from './support/watched.ts';
import { deliveryOf, noted, placed, shipped, World } from './support/world.ts';

type Random = () => number;
/** mulberry32. */
const seeded = (seed: number): Random => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
const upTo = (random: Random, count: number): number => Math.floor(random() * count);
function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const copy = [...list];
  for (let index = copy.length - 1; index > 0; index--) {
    const other = upTo(random, index + 1);
    [copy[index], copy[other]] = [copy[other] as T, copy[index] as T];
  }
  return copy;
}

const shipments = defineReadModel({
  name: 'shipments',
  version: 1,
  key: ['orderId'],
  columns: { orderId: 'string', shippedAt: 'integer' },
});
/** Handles one type only, so that its streams are full of gaps. */
const shipmentProjection = defineProjection({
  name: 'shipments',
  streams: ['order'],
  events: { 'order.shipped': orderEvents['order.shipped'] },
  model: shipments,
  evolve: (row, { stream, streamVersion }) => ({ orderId: stream.id, shippedAt: row?.shippedAt ?? streamVersion }),
});

/** Everything that anybody can see, versions included. */
async function picture(world: World, readModels: ReadModelStore): Promise<unknown> {
  const keys = Array.from({ length: 8 }, (_, index) => ({ orderId: `o-${index}` }));
  const states = await Promise.all([orders, shipments].map((model) => readModels.get(model, keys)));
  const failed = await readModels.find(failedEvents);
  return {
    ...(await world.rows(readModels)),
    lines: await readModels.find(orderLines),
    states: states.map((rows) => rows.map(({ row, streamVersion }) => `${row['orderId']}@${streamVersion}`).toSorted()),
    failed: failed.map(({ projection, reason, streamId, streamVersion }) => [
      projection,
      streamId,
      streamVersion,
      reason,
    ]),
  };
}

/** Up to eight orders with a few events each; some notes are poison. */
async function randomWorld(random: Random): Promise<World> {
  const world = new World();
  const streams = 2 + upTo(random, 6);
  for (let index = 0; index < streams; index++) await world.append(`o-${index}`, placed(`o-${index}`));
  for (let count = upTo(random, 60); count > 0; count--) {
    const id = `o-${upTo(random, streams)}`;
    const dice = random();
    if (dice < 0.1) await world.append(id, shipped(id), noted('at once'));
    else await world.append(id, noted(dice > 0.97 ? 'poison' : 'fine'));
  }
  return world;
}

/** A subscription driven by hand: what the transport would call. */
async function handlersOf(projector: Projector): Promise<{
  handle: BatchHandler;
  exhaust: (delivery: Delivery, reason: unknown) => Promise<void>;
}> {
  let captured: { handle: BatchHandler; exhaust: (delivery: Delivery, reason: unknown) => Promise<void> } | undefined;
  const subscriber: Subscriber = {
    subscribe: () => Promise.reject(new Error('not used')),
    async subscribeBatch(_topics, handle, { use = [] }) {
      const context: Partial<SubscriptionContext> = {
        onExhausted: (exhaust) => {
          captured = { handle, exhaust };
        },
      };
      for (const middleware of use) {
        middleware(() => Promise.resolve(), context as SubscriptionContext);
      }
      return { closed: Promise.resolve(), close: async () => {}, [Symbol.asyncDispose]: async () => {} };
    },
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  await projector.subscribe(subscriber, { group: 'g', codec: jsonCodec });
  if (!captured) throw new Error('no handler');
  return captured;
}

async function run(seed: number): Promise<void> {
  const random = seeded(seed);
  const world = await randomWorld(random);
  const projections = [orderProjection, shipmentProjection];
  const straight = createInMemoryReadModels();
  await createProjector({ store: world.store, readModels: straight, projections }).catchUp();
  const expected = await picture(world, straight);

  // Dies now and then before a write, or after it.
  let danger = 0.15;
  const crash = (): void => {
    if (random() < danger) throw new BentoError('CONNECTION', 'crash', true);
  };
  const dying = watchedReadModels(world.readModels, async ({ call, model, rows }) => {
    if (call !== 'write') return;
    crash();
    if (random() >= danger) return;
    const target = [orders, orderLines, shipments, failedEvents].find(({ name }) => name === model);
    if (target) await world.readModels.write(target, rows as never);
    throw new BentoError('CONNECTION', 'crash after the write', true);
  });
  const checkpoints = createInMemoryCheckpoints();
  const processes = (): Projector =>
    createProjector({ store: world.store, readModels: dying, projections, checkpoints });

  const deliveries = await Promise.all((await world.events()).map((event) => deliveryOf(event)));
  const open = new Set(deliveries);
  const failures = new Map<Delivery, number>();
  const step = async (projector: Projector): Promise<void> => {
    const { exhaust, handle } = await handlersOf(projector);
    // Open ones in any order and number, and some that were acknowledged long ago.
    const again = shuffled(random, deliveries).slice(0, upTo(random, 4));
    const batch = shuffled(random, [...shuffled(random, [...open]).slice(0, 1 + upTo(random, 12)), ...again]);
    const outcomes = await handle(batch, new AbortController().signal);
    for (const [index, outcome] of outcomes.entries()) {
      const delivery = batch[index] as Delivery;
      if (outcome.ok) open.delete(delivery);
      else failures.set(delivery, (failures.get(delivery) ?? 0) + 1);
      if (!outcome.ok && (failures.get(delivery) ?? 0) > 2) {
        await exhaust(delivery, outcome.error);
        open.delete(delivery);
      }
    }
  };
  for (let round = 0; open.size > 0; round++) {
    if (round > 2_000) throw new Error(`seed ${seed}: ${open.size} deliveries are still open`);
    if (round > 500) danger = 0;
    const dice = random();
    const work =
      dice < 0.03
        ? [processes().rebuild(dice < 0.015 ? 'orders' : 'shipments')]
        : dice < 0.08
          ? [processes().catchUp()]
          : // Two processes at once.
            [step(processes()), ...(dice < 0.4 ? [step(processes())] : [])];
    await Promise.allSettled(work);
  }
  // A rebuild may have been interrupted after everything was acknowledged: the next start goes on with it.
  danger = 0;
  await processes().catchUp();
  expect({ seed, picture: await picture(world, world.readModels) }).toEqual({ seed, picture: expected });
}

describe('projections', () => {
  it('end with the rows of a straight run, whatever is redelivered, reordered and interrupted (60 seeds)', async () => {
    for (let seed = 1; seed <= 60; seed++) await run(seed);
    expect.assertions(60);
  });
});
