import type { Closeable, CommandBus, QueryBus } from '@bento-bus/core';
import type { Runtime } from '@bento-bus/runtime';
import type { Notifier } from './application/shipping-notifications.ts';
import type { BackendOptions } from './backends.ts';
import type { CaughtUpOptions } from './caught-up.ts';
import type { OrderAppConfig } from './config.ts';

/** What the application is assembled from. */
export interface OrderAppOptions {
  readonly config: OrderAppConfig;
  readonly runtime: Runtime<BackendOptions>;
  /** Absolute. Holds the embedded store and what the application writes. */
  readonly dataDir: string;
  /** @default appends to notifications.jsonl in the data directory */
  readonly notifier?: Notifier;
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
}
