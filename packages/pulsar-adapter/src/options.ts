import { configurationError, type Logger, silentLogger } from '@bento-bus/core';
import { type Backoff, cloudEvents, fullJitter, type WireFormat } from '@bento-bus/core/adapter';
import type { SubscriptionType } from './driver.ts';
import type { NativeClient } from './native/client.ts';

/** Options of `createPulsarTransport`. */
export interface PulsarTransportOptions {
  /** For logs and metrics. @default 'pulsar' */
  readonly name?: string;
  /**
   * `'websocket'`: Pulsar's WebSocket API, nothing to install. `'native'`: the package `pulsar-client`, with its addon. `'auto'`: native
   * where the addon loads, and the log says which was taken. @default 'auto'; with `client`, 'native'
   */
  readonly driver?: 'auto' | 'websocket' | 'native';
  /** `pulsar://host:port` or `pulsar+ssl://…`; an `http(s)` or `ws(s)` URL sets `webUrl`. @default 'pulsar://127.0.0.1:6650' */
  readonly serviceUrl?: string;
  /** Where administration and WebSocket are served: `http(s)://host:port`. @default the host of `serviceUrl` at port 8080, with TLS 8443 */
  readonly webUrl?: string;
  /** A `Client` of pulsar-client that exists already; it is not closed. `webUrl` is needed too. */
  readonly client?: NativeClient;
  /** Token of Pulsar's token authentication. */
  readonly token?: string;
  /** @default 'public' */
  readonly tenant?: string;
  /** @default 'default' */
  readonly namespace?: string;
  /** Of every subscription, except those that ask for `ordering: 'none'`: these are Shared. @default 'Key_Shared' */
  readonly subscriptionType?: SubscriptionType;
  /** Make topics that do not exist. @default true */
  readonly createTopics?: boolean;
  /** Of topics that are made; 0: not partitioned. @default 0 */
  readonly partitions?: number;
  /**
   * The WebSocket service joins messages before it stores them: only with `subscriptionType: 'Shared'`, since batches break the order of
   * keys. (The native driver always batches by key.) @default false
   */
  readonly batching?: boolean;
  /** Producers that are kept open, one a topic and partition; those idle longest are closed first. @default 100 */
  readonly maxProducers?: number;
  /** Messages sent and not yet confirmed, a producer. @default 1_000 */
  readonly maxInFlight?: number;
  /** Messages that the broker pushes ahead of the handlers, a subscription and topic; at most 1_000. @default 1_000 */
  readonly receiverQueue?: number;
  /** How long `publish` may take, reconnecting included. Milliseconds. @default 30_000 */
  readonly publishTimeoutMs?: number;
  /** For requests, handshakes and what close waits for. Milliseconds. @default 15_000 */
  readonly requestTimeoutMs?: number;
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
  /** How messages look on their topics. @default `cloudEvents` of `@bento-bus/core/adapter` */
  readonly format?: WireFormat;
  /** @default `silentLogger` */
  readonly logger?: Logger;
}

export type ResolvedOptions = Required<Omit<PulsarTransportOptions, 'client' | 'token'>> &
  Pick<PulsarTransportOptions, 'client' | 'token'>;

const drivers: ReadonlySet<string> = new Set(['auto', 'websocket', 'native']);
const types: ReadonlySet<string> = new Set(['Key_Shared', 'Shared', 'Failover', 'Exclusive']);

/** Checks the options and fills in the defaults. Throws one `CONFIGURATION` error that names every fault. */
export function resolveOptions(given: PulsarTransportOptions): ResolvedOptions {
  const options = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as PulsarTransportOptions;
  const faults: string[] = [];
  const resolved: ResolvedOptions = {
    name: 'pulsar',
    driver: options.client === undefined ? 'auto' : 'native',
    tenant: 'public',
    namespace: 'default',
    subscriptionType: 'Key_Shared',
    createTopics: true,
    partitions: 0,
    batching: false,
    maxProducers: 100,
    maxInFlight: 1_000,
    receiverQueue: 1_000,
    publishTimeoutMs: 30_000,
    requestTimeoutMs: 15_000,
    heartbeatMs: 20_000,
    fenceTimeoutMs: 30_000,
    logRetentionMinutes: 1_440,
    backoff: fullJitter(),
    maxMessageBytes: 1_048_576,
    format: cloudEvents,
    logger: silentLogger,
    ...options,
    ...urls(options, faults),
  };
  const check = (fine: boolean, fault: string): void => {
    if (!fine) faults.push(fault);
  };
  for (const field of ['name', 'tenant', 'namespace'] as const)
    check(
      isText(resolved[field]) && (field === 'name' || !resolved[field].includes('/')),
      `${field} must be a name, not empty`,
    );
  if (options.token !== undefined) check(isText(options.token), 'token must be a text, not empty');
  check(drivers.has(resolved.driver), `driver must be 'auto', 'websocket' or 'native', not ${resolved.driver}`);
  check(
    types.has(resolved.subscriptionType),
    `subscriptionType must be one of ${[...types].join(', ')}, not ${resolved.subscriptionType}`,
  );
  check(options.client === undefined || resolved.driver === 'native', "client is for driver: 'native'");
  check(!resolved.batching || resolved.subscriptionType === 'Shared', "batching needs subscriptionType: 'Shared'");
  for (const [field, least, most] of wholes) {
    const value = resolved[field];
    check(
      Number.isSafeInteger(value) && value >= least && value <= most,
      `${field} must be a whole number from ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''}, not ${String(value)}`,
    );
  }
  if (faults.length > 0) throw configurationError('pulsar-adapter: cannot create the transport', faults);
  return resolved;
}

const wholes = (
  [
    ['partitions', 0],
    ['maxProducers', 1],
    ['maxInFlight', 1],
    ['receiverQueue', 1, 1_000],
    ['publishTimeoutMs', 1],
    ['requestTimeoutMs', 1],
    ['heartbeatMs', 100],
    ['fenceTimeoutMs', 0],
    ['logRetentionMinutes', 1],
    ['maxMessageBytes', 1],
  ] as const
).map(([field, least, most = Number.MAX_SAFE_INTEGER]) => [field, least, most] as const);

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';

/** The two addresses, from what was given. */
function urls(
  { serviceUrl, webUrl, client }: PulsarTransportOptions,
  faults: string[],
): { serviceUrl: string; webUrl: string } {
  const service = parsed(
    'serviceUrl',
    serviceUrl ?? 'pulsar://127.0.0.1:6650',
    /^(pulsar(\+ssl)?|https?|wss?):$/,
    faults,
  );
  if (client !== undefined && webUrl === undefined && serviceUrl === undefined)
    faults.push('webUrl is needed with client');
  const isWeb = service !== undefined && !service.protocol.startsWith('pulsar');
  const secure = service !== undefined && /^(pulsar\+ssl|https|wss):$/.test(service.protocol);
  const byService = `${secure ? 'https' : 'http'}://${service?.hostname}:${isWeb && service.port ? service.port : secure ? 8443 : 8080}`;
  const web = parsed('webUrl', webUrl ?? byService, /^(https?|wss?):$/, faults);
  const base = web === undefined ? '' : `${/^(https|wss):$/.test(web.protocol) ? 'https' : 'http'}://${web.host}`;
  const binary = isWeb
    ? `pulsar${secure ? '+ssl' : ''}://${service.hostname}:${secure ? 6651 : 6650}`
    : (serviceUrl ?? 'pulsar://127.0.0.1:6650');
  return { serviceUrl: binary, webUrl: base };
}

function parsed(field: string, text: unknown, protocols: RegExp, faults: string[]): URL | undefined {
  try {
    // `pulsar:` is no special scheme, and several hosts may be listed: the first one counts.
    const url = new URL(String(text).split(',')[0] as string);
    if (protocols.test(url.protocol) && url.hostname !== '') return url;
  } catch {
    // Reported below.
  }
  faults.push(
    `${field} must be a URL such as ${field === 'webUrl' ? 'http://host:8080' : 'pulsar://host:6650'}, not "${String(text)}"`,
  );
  return undefined;
}
