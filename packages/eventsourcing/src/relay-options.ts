import {
  type Closeable,
  type Codec,
  configurationError,
  type EventCatalogue,
  type EventStore,
  type Logger,
  type Position,
  type Transport,
} from '@bento-bus/core';
import type { Backoff } from '@bento-bus/core/adapter';

/** What a relay has done since it started. */
export interface RelayProgress {
  /** Everything at or before it is with the backend, or is not to be published. */
  readonly position: Position;
  readonly published: number;
  /** Events of types that no catalogue has. */
  readonly passedOver: number;
}

/** Options of {@link createRelay}. */
export interface RelayOptions {
  readonly store: EventStore;
  readonly transport: Transport;
  /** Only their types are published. */
  readonly catalogues: readonly EventCatalogue[];
  readonly codec: Codec;
  /** `source` of every message: which system speaks, a URI reference (CloudEvents 1.0). */
  readonly source: string;
  /** @default silentLogger */
  readonly logger?: Logger;
  /** How often other processes' commits are looked for. Milliseconds. @default 200 */
  readonly pollMs?: number;
  /** Events read and published at once. @default 500 */
  readonly batchSize?: number;
  /** `close` lets the batch at hand finish for this long. Milliseconds. @default 10_000 */
  readonly drainMs?: number;
  /** Wait after a fault that may pass. @default full jitter from 100 ms, at most 5 s */
  readonly backoff?: Backoff;
  /**
   * While another process publishes the log, wait for its end and go on then. False: take the log over at once, and stop when another
   * process takes it. @default true
   */
  readonly standby?: boolean;
  readonly onProgress?: (progress: RelayProgress) => void;
}

/** The publisher of a store's events. */
export interface Relay extends Closeable {
  /**
   * Begins to publish; resolves once the log is open, or another process publishes it and this one stands by. Rejects with `UNSUPPORTED`
   * where the transport cannot publish a log, and with what `openCheckpointed` rejects with; then it can be called again.
   */
  start(): Promise<void>;
  /** Something was committed: look now. Free to call, at any time. */
  wake(): void;
  /** Everything at or before it is with the backend, or is not to be published. `''` before the start. */
  readonly position: Position;
  /** Resolves after `close`. Rejects when the relay has stopped by itself: at a fault that waiting does not mend, and without `standby` when fenced by another process. */
  readonly closed: Promise<void>;
}

/** What options of a relay are when they are not given. */
export const relayDefaults = { pollMs: 200, batchSize: 500, drainMs: 10_000, standby: true } as const;

/** Throws one `CONFIGURATION` error that names every fault. */
export function checkRelayOptions(options: RelayOptions): void {
  const { batchSize, drainMs, pollMs, source } = { ...relayDefaults, ...options };
  const faults = [
    ...(Number.isSafeInteger(batchSize) && batchSize > 0
      ? []
      : [`batchSize ${batchSize} should be a whole number from 1`]),
    ...(pollMs > 0 ? [] : [`pollMs ${pollMs} should be above 0`]),
    ...(drainMs >= 0 ? [] : [`drainMs ${drainMs} should not be below 0`]),
    ...(source === '' ? ['source is empty; it should say which system speaks'] : []),
  ];
  if (faults.length > 0) throw configurationError('eventsourcing: cannot make a relay', faults);
}
