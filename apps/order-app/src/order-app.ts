import type { ClickHouse } from '@bento-bus/clickhouse-store';
import type { Closeable, CommandBus, EventStore, Middleware, QueryBus, Transport } from '@bento-bus/core';
import type { ParkingStore } from '@bento-bus/dlq';
import type { Projector, Relay, RelayProgress } from '@bento-bus/eventsourcing';
import type { Runtime } from '@bento-bus/runtime';
import type { Notifier } from './application/shipping-notifications.ts';
import type { BackendOptions } from './backends.ts';
import type { CaughtUpOptions } from './caught-up.ts';
import type { OrderAppConfig } from './config.ts';

/** Decorators that watch the application; each gives back what it was given, observed. */
export interface Observers {
  transport<T extends Transport>(transport: T): T;
  commandBus(bus: CommandBus): CommandBus;
  /** What commands write to. */
  eventStore(store: EventStore): EventStore;
  relayed(progress: RelayProgress): void;
}

/** What the application is assembled from. */
export interface OrderAppOptions {
  readonly config: OrderAppConfig;
  readonly runtime: Runtime<BackendOptions>;
  /** Absolute. Holds the embedded store and what the application writes. */
  readonly dataDir: string;
  /** @default what NOTIFIER says: appends to notifications.jsonl in the data directory */
  readonly notifier?: Notifier;
  /** @default nobody watches */
  readonly observers?: Observers;
  /** Around the notifications. @default none: one that fails is tried again until it succeeds */
  readonly notificationPolicy?: (parts: NotificationPolicyParts) => Middleware;
}

/** What a policy for failing notifications can be made of. */
export interface NotificationPolicyParts {
  readonly transport: Transport;
  readonly parking: ParkingStore;
}

/** The assembled application. */
export interface OrderApp extends Closeable {
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  /**
   * Resolves when the read models hold everything committed before the call, and, on a backend that knows, its notifications are sent.
   * Rejects when an event failed for good, at the time-out, on the signal, and when the relay stops.
   */
  caughtUp(options: CaughtUpOptions): Promise<void>;
  /** Empties the read models and fills them from the events. */
  rebuild(signal: AbortSignal): Promise<void>;
  /** For who operates it; closed with the application. */
  readonly parts: OrderAppParts;
}

/** What the application runs on. */
interface OrderAppParts {
  readonly clickhouse: ClickHouse;
  readonly transport: Transport;
  /** The same, observed by nobody: for who looks on. */
  readonly reader: Transport;
  readonly projector: Projector;
  readonly relay: Relay;
  /** Where notifications wait that a policy has parked. */
  readonly parking: ParkingStore;
}
