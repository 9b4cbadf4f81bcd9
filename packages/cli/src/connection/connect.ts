import { connectOperations, createOperations, type Operations, readEndpoint } from '@bento-bus/admin';
import type { ClickHouse } from '@bento-bus/clickhouse-store';
import { BentoError, type Closeable, type MessagingAdmin, type Transport } from '@bento-bus/core';
import { closeAll, closeOnce } from '@bento-bus/core/adapter';
import type { PulsarAdmin } from '@bento-bus/pulsar-adapter';
import { brokers } from './backends.ts';
import type { Backend, BentoConfig } from './config.ts';
import { recordedFailures } from './recorded-failures.ts';
import { openStore, storePlace } from './store.ts';

/**
 * What a command needs. `broker`: topics and groups. `failed`: those, and parked messages where a store is at hand. `store`: the events.
 * `relay`: broker and store. `application`: the running application itself.
 */
export type Need = 'broker' | 'failed' | 'store' | 'relay' | 'projections' | 'application';

/** Where to look. */
export interface Place {
  readonly config: BentoConfig;
  /** Absolute. */
  readonly dataDir: string;
  /** As the user gave it. */
  readonly shownDir: string;
  /** Given on the command line: another backend's application does not count. */
  readonly backend?: Backend;
  /** Of one request. Milliseconds. */
  readonly timeoutMs: number;
}

/** Connected to whatever answers. */
export interface Connection extends Closeable {
  readonly operations: Operations;
  /** The backend itself, where the application is not between. */
  readonly backend?: { readonly admin: MessagingAdmin; readonly transport: () => Promise<Transport> };
}

/** Pulsar's own administration. The caller closes it. `UNSUPPORTED` on another backend. */
export async function connectPulsar({ config, timeoutMs }: Pick<Place, 'config' | 'timeoutMs'>): Promise<PulsarAdmin> {
  const { pulsar } = config.messageBusType === 'pulsar' ? await brokers.pulsar(config, timeoutMs) : {};
  if (pulsar !== undefined) return pulsar;
  throw new BentoError(
    'UNSUPPORTED',
    `bento: cannot do this on "${config.messageBusType}": it is of Pulsar alone. Add --backend pulsar.`,
  );
}

/**
 * The running application where it must be asked, else broker and store themselves. Nothing is connected to that is not needed.
 * `CONNECTION`, with what to do, where nothing at hand can answer.
 */
export async function connect(place: Place, need: Need): Promise<Connection> {
  const { config } = place;
  if (await asksApplication(place, need)) {
    const operations = await application(place);
    if (operations !== undefined) return { operations, ...closeOnce(() => operations.close()) };
  }
  if (need === 'application')
    throw notRunning(place, 'reach the application', 'Start it (npm start -- serve), and ask again');
  const inProcess = config.messageBusType === 'inprocess';
  if (inProcess && need !== 'store' && need !== 'projections')
    throw notRunning(
      place,
      'reach the in-process bus',
      'It lives in the application: start it (npm start -- serve), or choose a broker by --backend or MESSAGE_BUS_TYPE',
    );
  return direct(place, need);
}

/** Whether the application is to be asked, if one runs. */
async function asksApplication({ config, dataDir }: Place, need: Need): Promise<boolean> {
  if (need === 'application' || need === 'relay' || need === 'projections') return true;
  const embedded = storePlace(config, dataDir);
  if (need === 'store') return embedded === undefined || 'path' in embedded;
  return config.messageBusType === 'inprocess' || need === 'failed';
}

/** The application on the data directory: undefined where none runs, or it has another backend than the one asked for. */
async function application({ config, dataDir, backend }: Place): Promise<Operations | undefined> {
  const endpoint = await readEndpoint(dataDir);
  if (endpoint === undefined) return undefined;
  const operations = connectOperations(endpoint);
  // Without a choice, that of the application holds.
  const wanted = backend ?? (config.messageBusType === 'inprocess' ? undefined : config.messageBusType);
  if (wanted === undefined || (await operations.about()).backend === wanted) return operations;
  await operations.close();
  return undefined;
}

async function direct({ config, dataDir, shownDir, timeoutMs }: Place, need: Need): Promise<Connection> {
  const broker = await brokers[config.messageBusType as Backend](config, timeoutMs);
  const { admin } = broker;
  const opened: { transport?: Promise<Transport>; store?: ClickHouse } = {};
  const close = (): Promise<void> =>
    closeAll([
      async () => (await opened.transport?.catch(() => undefined))?.close(),
      () => admin.close(),
      async () => opened.store?.close(),
    ]);
  try {
    const dlq = await import('@bento-bus/dlq');
    const at = need === 'broker' ? undefined : storePlace(config, dataDir);
    if (at !== undefined) opened.store = await openStore(at, config, timeoutMs);
    else if (need !== 'broker' && need !== 'failed') throw noStore(shownDir);
    const { store } = opened;
    const transport = (): Promise<Transport> => {
      opened.transport ??= broker.openTransport();
      return opened.transport;
    };
    const operations = createOperations({
      admin,
      dlq,
      transport,
      ...(at !== undefined &&
        store !== undefined && {
          store: store.eventStore,
          storeName: at.name,
          parking: dlq.createParkingStore({ store: store.eventStore }),
          ...(need === 'projections' && { projections: await recordedFailures(store.readModels) }),
        }),
    });
    return {
      operations,
      backend: { admin, transport },
      ...closeOnce(() => closeAll([() => operations.close(), close])),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const notRunning = ({ shownDir }: Place, what: string, todo: string): BentoError =>
  new BentoError(
    'CONNECTION',
    `bento: cannot ${what}: no application runs on the data directory "${shownDir}". ${todo}.`,
    true,
  );

const noStore = (shownDir: string): BentoError =>
  new BentoError(
    'CONNECTION',
    `bento: cannot read the event store: there is none in "${shownDir}". Set CLICKHOUSE_HOST, or name the application's directory by --data.`,
  );
