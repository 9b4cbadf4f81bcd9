// The whole way in one process, started by relay.test.ts and killed by it: commit -> relay -> bus -> handler.
// Arguments: folder, how many orders to place, and `notify` (go on until SIGTERM) or `place` (place them and end).
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createJsonCodec } from '@bento-bus/codecs';
import { createMessageBus, type EventStore, type MessageBus } from '@bento-bus/core';
import { createRelay, createUnitOfWork, type Relay } from '@bento-bus/eventsourcing';
import { createInProcessTransport, type InProcessTransport } from '@bento-bus/inprocess-bus';
import { closeOnSignal, createContainer } from '@bento-bus/runtime';
import { openFileCheckpoints, openFileEventStore } from './file-stores.ts';
import { Order, orderEvents } from './shop.ts';

const [folder = '', total = '0', task = 'notify'] = process.argv.slice(2);
/** Append-only, one line a fact: the oracle of the test. */
const ledger = (...words: string[]): void => appendFileSync(join(folder, 'ledger.txt'), `${words.join(' ')}\n`);

interface Parts extends Readonly<Record<string, unknown>> {
  readonly store: EventStore;
  readonly transport: InProcessTransport;
  readonly bus: MessageBus;
  readonly relay: Relay;
}
const codec = createJsonCodec();
const container = createContainer<Parts>({
  store: () => openFileEventStore(folder),
  transport: () => createInProcessTransport({ checkpoints: openFileCheckpoints(folder, (what) => ledger(what)) }),
  bus: async (get) => createMessageBus({ transport: await get('transport'), codec, source: 'shop' }),
  relay: async (get) =>
    createRelay({
      store: await get('store'),
      transport: await get('transport'),
      catalogues: [orderEvents],
      codec,
      source: 'shop',
      pollMs: 20,
      batchSize: 20,
    }),
});

async function place(): Promise<void> {
  const store = await container.get('store');
  const relay = task === 'notify' ? await container.get('relay') : undefined;
  const unitOfWork = createUnitOfWork({ store, onCommit: () => relay?.wake() });
  // An order a commit, so the head says how many there are.
  for (let i = Number.parseInt(`0${await store.head()}`, 10) + 1; i <= Number(total); i += 1) {
    await unitOfWork.run(async (unit) => (await unit.load(Order, `o-${i}`)).place(`country-${i % 7}`));
    ledger('committed', `o-${i}`);
    // A little faster than the handlers, so that a kill falls between the commits and their notifications.
    await delay(1);
  }
}

async function notify(): Promise<void> {
  const bus = await container.get('bus');
  await bus.subscribe(
    [orderEvents['order.placed']],
    async ({ data }) => {
      ledger('started', data.orderId);
      await delay(15);
      ledger('done', data.orderId);
    },
    { group: 'mail', concurrency: 4 },
  );
  await (await container.get('relay')).start();
}

ledger('boot');
if (task === 'notify') {
  closeOnSignal({ close: () => container.close() });
  await notify();
}
await place();
if (task === 'place') await container.close();
