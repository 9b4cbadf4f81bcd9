import type { CheckpointedItem, CheckpointStore, StartPosition } from '@bento-bus/core';
import { createMemoryCheckpointStore } from '../src/index.ts';
import { create, gatekeeper, message } from './support.ts';

export const at = (place: number): string => String(place).padStart(6, '0');
export const item = (place: number, topic = 'orders', given: Parameters<typeof message>[0] = {}): CheckpointedItem => ({
  topic,
  position: at(place),
  message: message({ id: `e${place}`, key: `k${place}`, ...given }),
});
export const items = (from: number, to: number, topic = 'orders'): CheckpointedItem[] =>
  Array.from({ length: to - from + 1 }, (_, index) => item(from + index, topic));
export const ids = (...places: number[]): string[] => places.map((place) => `e${place}`);

/** What a process leaves behind when it is killed now: later writes do not count. */
export async function killed(store: CheckpointStore, log = 'log', group = 'g'): Promise<CheckpointStore> {
  const copy = createMemoryCheckpointStore();
  const name = `inprocess/${log}/${group}`;
  const value = await store.read(name);
  if (value !== undefined) await copy.write(name, value);
  return copy;
}

/** A store whose writes wait until they are let through. */
export function slowStore(): CheckpointStore & { writes: number; letThrough(): void } {
  const inner = createMemoryCheckpointStore();
  let waiting: (() => void)[] = [];
  return {
    ...inner,
    writes: 0,
    async write(name, value) {
      this.writes += 1;
      await new Promise<void>((resolve) => waiting.push(resolve));
      await inner.write(name, value);
    },
    letThrough() {
      const all = waiting;
      waiting = [];
      for (const go of all) go();
    },
  };
}

/** A transport with a subscription of group `g`, whose handler holds each message. */
export const subscribeTo = async (checkpoints: CheckpointStore, startPosition?: StartPosition, retention = 10_000) => {
  const transport = create({ checkpoints, retention });
  const keeper = gatekeeper();
  await transport.subscribe(['orders'], keeper.handler, {
    group: 'g',
    concurrency: 100,
    drainMs: 0,
    ...(startPosition === undefined ? {} : { startPosition }),
  });
  return { transport, keeper };
};

/** An item from a time of its own. */
export const timed = (place: number): CheckpointedItem => item(place, 'orders', { time: place * 10 });
