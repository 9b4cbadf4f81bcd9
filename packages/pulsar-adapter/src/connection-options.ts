import { type Logger, silentLogger } from '@bento-bus/core';
import { cloudEvents, type WireFormat } from '@bento-bus/core/adapter';
import { type PulsarSecurityOptions, resolveSecurity, type Security } from './security/security.ts';

/** What the transport and the administration have in common: give both the same, and names mean the same topics. */
export interface PulsarConnectionOptions extends PulsarSecurityOptions {
  /** For logs and metrics. @default 'pulsar' */
  readonly name?: string;
  /** `pulsar://host:port` or `pulsar+ssl://…`; an `http(s)` or `ws(s)` URL sets `webUrl`. @default 'pulsar://127.0.0.1:6650' */
  readonly serviceUrl?: string;
  /** Where administration and WebSocket are served: `http(s)://host:port`. @default the host of `serviceUrl` at port 8080, with TLS 8443 */
  readonly webUrl?: string;
  /** @default 'public' */
  readonly tenant?: string;
  /** @default 'default' */
  readonly namespace?: string;
  /** Of topics that are made; 0: not partitioned. @default 0 */
  readonly partitions?: number;
  /** For requests, handshakes and what close waits for. Milliseconds. @default 15_000 */
  readonly requestTimeoutMs?: number;
  /** How messages look on their topics. @default `cloudEvents` of `@bento-bus/core/adapter` */
  readonly format?: WireFormat;
  /** @default `silentLogger` */
  readonly logger?: Logger;
}

export type ResolvedConnection = Required<Omit<PulsarConnectionOptions, keyof PulsarSecurityOptions>> & {
  readonly security: Security;
};

/** Checks what is common and fills in the defaults; what is wrong goes to `faults`. `options` have no undefined fields. */
export function resolveConnection(
  options: PulsarConnectionOptions & { readonly client?: unknown },
  faults: string[],
): ResolvedConnection {
  const resolved = {
    name: options.name ?? 'pulsar',
    tenant: options.tenant ?? 'public',
    namespace: options.namespace ?? 'default',
    partitions: options.partitions ?? 0,
    requestTimeoutMs: options.requestTimeoutMs ?? 15_000,
    format: options.format ?? cloudEvents,
    logger: options.logger ?? silentLogger,
    ...urls(options, faults),
  };
  for (const field of ['name', 'tenant', 'namespace'] as const)
    if (!isText(resolved[field]) || (field !== 'name' && resolved[field].includes('/')))
      faults.push(`${field} must be a name, not empty`);
  checkWholes(
    resolved,
    [
      ['partitions', 0],
      ['requestTimeoutMs', 1],
    ],
    faults,
  );
  const isSecure = /^(https|pulsar\+ssl):/;
  if (options.tls !== undefined && !isSecure.test(resolved.webUrl) && !isSecure.test(resolved.serviceUrl))
    faults.push('tls needs serviceUrl to begin with pulsar+ssl:// or webUrl with https://');
  return { ...resolved, security: resolveSecurity(options, resolved.requestTimeoutMs, faults) };
}

/** A field, its least value, and its most. */
export type Whole<Field extends string> = readonly [field: Field, least: number, most?: number];

export function checkWholes<Field extends string>(
  options: Readonly<Record<Field, number>>,
  wholes: readonly Whole<Field>[],
  faults: string[],
): void {
  for (const [field, least, most = Number.MAX_SAFE_INTEGER] of wholes) {
    const value = options[field];
    if (!Number.isSafeInteger(value) || value < least || value > most)
      faults.push(
        `${field} must be a whole number from ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''}, not ${String(value)}`,
      );
  }
}

const isText = (value: unknown): boolean => typeof value === 'string' && value.trim() !== '';

/** The two addresses, from what was given. */
function urls(
  { serviceUrl, webUrl, client }: PulsarConnectionOptions & { readonly client?: unknown },
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
  const web =
    service === undefined && webUrl === undefined
      ? undefined
      : parsed('webUrl', webUrl ?? byService, /^(https?|wss?):$/, faults);
  const base = web === undefined ? '' : `${/^(https|wss):$/.test(web.protocol) ? 'https' : 'http'}://${web.host}`;
  const binary = isWeb
    ? `pulsar${secure ? '+ssl' : ''}://${service.hostname}:${secure ? 6651 : 6650}`
    : (serviceUrl ?? 'pulsar://127.0.0.1:6650');
  return { serviceUrl: binary, webUrl: base };
}

function parsed(field: string, text: unknown, protocols: RegExp, faults: string[]): URL | undefined {
  const example = field === 'webUrl' ? 'http://host:8080' : 'pulsar://host:6650';
  try {
    // `pulsar:` is no special scheme, and several hosts may be listed: the first one counts.
    const url = new URL(String(text).split(',')[0] as string);
    if (url.username !== '' || url.password !== '') {
      faults.push(`${field} must not have a user or password in it: use authentication`);
      return undefined;
    }
    if (protocols.test(url.protocol) && url.hostname !== '') return url;
  } catch {
    // Reported below.
  }
  // What stands before an @ or behind a ? may be a secret.
  const shown = /[@?]/.test(String(text)) ? 'the one given' : `"${String(text)}"`;
  faults.push(`${field} must be a URL such as ${example}, not ${shown}`);
  return undefined;
}
