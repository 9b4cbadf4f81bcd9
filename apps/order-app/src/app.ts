import { join } from 'node:path';
import type { ClickHouse } from '@bento-bus/clickhouse-store';
import { type Closeable, createMessageBus, type MessageBus, type Transport } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { createParkingStore, type ParkingStore } from '@bento-bus/dlq';
import { createProjector, createRelay, createUnitOfWork, type Projector, type Relay } from '@bento-bus/eventsourcing';
import { createCommandBus, createQueryBus } from '@bento-bus/inprocess-bus';
import { createConsoleLogger, createContainer } from '@bento-bus/runtime';
import { registerCommands } from './application/command-handlers.ts';
import { registerQueries } from './application/query-handlers.ts';
import { subscribeShippingNotifications } from './application/shipping-notifications.ts';
import { caughtUp } from './caught-up.ts';
import { createMessageCodec } from './codecs.ts';
import { creditNoteEvents, orderEvents } from './domain/events.ts';
import { createFailingNotifier } from './notifications/failing-notifier.ts';
import { createFileNotifier } from './notifications/file-notifier.ts';
import type { Observers, OrderApp, OrderAppOptions } from './order-app.ts';
import { projections } from './read-model/projections.ts';
import { openStore } from './store.ts';

/** Built when first asked for, closed in reverse. */
interface Parts extends Readonly<Record<string, unknown>> {
  readonly clickhouse: ClickHouse;
  readonly parking: ParkingStore;
  readonly reader: Transport;
  readonly transport: Transport;
  readonly bus: MessageBus;
  readonly projector: Projector;
  readonly readModels: Closeable;
  readonly notifications: Closeable;
  readonly relay: Relay;
}

const unobserved: Observers = {
  transport: (transport) => transport,
  commandBus: (bus) => bus,
  eventStore: (store) => store,
  relayed: () => {},
};

/** Puts the parts together and starts them. What they need of each other is said here and nowhere else. */
export async function openOrderApp({
  config,
  runtime,
  dataDir,
  observers = unobserved,
  ...given
}: OrderAppOptions): Promise<OrderApp> {
  const logger = createConsoleLogger({ level: config.logLevel ?? 'silent' });
  const messages = { codec: await createMessageCodec(config.messageCodec), source: '/order-app', logger };
  const notifier =
    given.notifier ??
    (config.notifier === 'failing'
      ? createFailingNotifier()
      : createFileNotifier(join(dataDir, 'notifications.jsonl')));
  const parts = createContainer<Parts>({
    clickhouse: () => openStore(config, dataDir, logger),
    parking: async (get) => createParkingStore({ store: (await get('clickhouse')).eventStore }),
    reader: async (get) => {
      const { checkpoints } = await get('clickhouse');
      return runtime.createTransport({ config, checkpoints, logger });
    },
    transport: async (get) => observers.transport(await get('reader')),
    bus: async (get) => createMessageBus({ transport: await get('transport'), ...messages }),
    projector: async (get) => {
      const { eventStore, readModels, checkpoints } = await get('clickhouse');
      return createProjector({ store: eventStore, readModels, projections, checkpoints, logger });
    },
    readModels: async (get) => {
      const projector = await get('projector');
      return projector.subscribe(await get('transport'), { group: 'read-models', codec: messages.codec });
    },
    notifications: async (get) => {
      const policy = given.notificationPolicy?.({ transport: await get('transport'), parking: await get('parking') });
      return subscribeShippingNotifications(await get('bus'), notifier, policy === undefined ? [] : [policy]);
    },
    relay: async (get) => {
      // Groups come first: what they have not finished is published again from there.
      await get('readModels');
      await get('notifications');
      const { eventStore: store } = await get('clickhouse');
      const transport = await get('transport');
      const relay = createRelay({
        store,
        transport,
        catalogues: [orderEvents, creditNoteEvents],
        ...messages,
        onProgress: (progress) => observers.relayed(progress),
      });
      await relay.start();
      return relay;
    },
  });
  try {
    const clickhouse = await parts.get('clickhouse');
    const { eventStore: store, readModels } = clickhouse;
    const relay = await parts.get('relay');
    const transport = await parts.get('transport');
    const projector = await parts.get('projector');
    const commands = observers.commandBus(createCommandBus());
    const queries = createQueryBus();
    const unitOfWork = createUnitOfWork({
      store: observers.eventStore(store),
      logger,
      onCommit: () => relay.wake(),
    });
    registerCommands(commands, unitOfWork);
    registerQueries(queries, readModels);
    return {
      commands,
      queries,
      caughtUp: (options) => caughtUp({ store, relay, transport, projector }, options),
      rebuild: async (signal) => {
        for (const { name } of projections) await projector.rebuild(name, { signal });
      },
      parts: {
        clickhouse,
        transport,
        reader: await parts.get('reader'),
        projector,
        relay,
        parking: await parts.get('parking'),
      },
      ...closeOnce(() => parts.close()),
    };
  } catch (error) {
    await parts.close();
    throw error;
  }
}
