import { configurationError } from '@bento-bus/core';
import { type Backoff, fullJitter } from '@bento-bus/core/adapter';
import {
  checkWholes,
  type PulsarConnectionOptions,
  type ResolvedConnection,
  resolveConnection,
  type Whole,
} from './connection-options.ts';
import type { SubscriptionType } from './driver.ts';
import type { NativeClient } from './native/client.ts';

/** Options of `createPulsarTransport`. */
export interface PulsarTransportOptions extends PulsarConnectionOptions {
  // Driver
  /**
   * `'websocket'`: Pulsar's WebSocket API, nothing to install. `'native'`: the package `pulsar-client`, with its addon. `'auto'`: native
   * where the addon loads, and the log says which was taken. @default 'auto'; with `client`, 'native'
   */
  readonly driver?: 'auto' | 'websocket' | 'native';
  /**
   * A `Client` of pulsar-client that exists already; it is not closed. `webUrl` is needed too; `authentication` and `tls` are then for
   * `webUrl` only.
   */
  readonly client?: NativeClient;

  // Topics and subscriptions
  /** Of every subscription, except those that ask for `ordering: 'none'`: these are Shared. @default 'Key_Shared' */
  readonly subscriptionType?: SubscriptionType;
  /** Make topics that do not exist. @default true */
  readonly createTopics?: boolean;
  /**
   * The WebSocket service joins messages before it stores them: only with `subscriptionType: 'Shared'`, since batches break the order of
   * keys. (The native driver always batches by key.) @default false
   */
  readonly batching?: boolean;

  // Limits
  /** Producers that are kept open, one a topic and partition; those idle longest are closed first. @default 100 */
  readonly maxProducers?: number;
  /** Messages sent and not yet confirmed, a producer. @default 1_000 */
  readonly maxInFlight?: number;
  /** Messages that the broker pushes ahead of the handlers, a subscription and topic; at most 1_000. @default 1_000 */
  readonly receiverQueue?: number;

  // Times
  /** How long `publish` may take, reconnecting included. Milliseconds. @default 30_000 */
  readonly publishTimeoutMs?: number;
  /** A connection without an answer for this long is given up. Milliseconds. @default 20_000 */
  readonly heartbeatMs?: number;
  /** How long opening a log waits until its previous publisher is gone. Milliseconds. @default 30_000 */
  readonly fenceTimeoutMs?: number;
  /** Least time that topics of a checkpointed log keep their messages. Minutes. @default 1_440 */
  readonly logRetentionMinutes?: number;
  /** Wait before the next try to reconnect. @default full jitter from 50 ms to 5 s */
  readonly backoff?: Backoff;
  /** Largest message, encoded: its body in base64 with key and properties. The broker's limit of a frame is 1 MiB. Bytes. @default 1_048_576 */
  readonly maxMessageBytes?: number;
}

export type ResolvedOptions = ResolvedConnection &
  Required<Omit<PulsarTransportOptions, 'client' | keyof PulsarConnectionOptions>> &
  Pick<PulsarTransportOptions, 'client'>;

const drivers: ReadonlySet<string> = new Set(['auto', 'websocket', 'native']);
const types: ReadonlySet<string> = new Set(['Key_Shared', 'Shared', 'Failover', 'Exclusive']);

/** Checks the options and fills in the defaults. Throws one `CONFIGURATION` error that names every fault. */
export function resolveOptions(given: PulsarTransportOptions): ResolvedOptions {
  const options = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as PulsarTransportOptions;
  const faults: string[] = [];
  const { token: _, authentication: __, tls: ___, ...rest } = options;
  const resolved: ResolvedOptions = {
    driver: options.client === undefined ? 'auto' : 'native',
    subscriptionType: 'Key_Shared',
    createTopics: true,
    batching: false,
    maxProducers: 100,
    maxInFlight: 1_000,
    receiverQueue: 1_000,
    publishTimeoutMs: 30_000,
    heartbeatMs: 20_000,
    fenceTimeoutMs: 30_000,
    logRetentionMinutes: 1_440,
    backoff: fullJitter(),
    maxMessageBytes: 1_048_576,
    ...rest,
    ...resolveConnection(options, faults),
  };
  const check = (fine: boolean, fault: string): void => {
    if (!fine) faults.push(fault);
  };
  check(drivers.has(resolved.driver), `driver must be 'auto', 'websocket' or 'native', not ${resolved.driver}`);
  check(
    types.has(resolved.subscriptionType),
    `subscriptionType must be one of ${[...types].join(', ')}, not ${resolved.subscriptionType}`,
  );
  check(options.client === undefined || resolved.driver === 'native', "client is for driver: 'native'");
  check(!resolved.batching || resolved.subscriptionType === 'Shared', "batching needs subscriptionType: 'Shared'");
  checkWholes(resolved, wholes, faults);
  if (faults.length > 0) throw configurationError('pulsar-adapter: cannot create the transport', faults);
  return resolved;
}

const wholes: readonly Whole<
  | 'maxProducers'
  | 'maxInFlight'
  | 'receiverQueue'
  | 'publishTimeoutMs'
  | 'heartbeatMs'
  | 'fenceTimeoutMs'
  | 'logRetentionMinutes'
  | 'maxMessageBytes'
>[] = [
  ['maxProducers', 1],
  ['maxInFlight', 1],
  ['receiverQueue', 1, 1_000],
  ['publishTimeoutMs', 1],
  ['heartbeatMs', 100],
  ['fenceTimeoutMs', 0],
  ['logRetentionMinutes', 1],
  ['maxMessageBytes', 1],
];
