import { type Field, field, withDefault } from './fields.ts';
import type { Secret } from './secret.ts';

/** URLs are shown, secrets never are: they have settings of their own. */
const withoutUser = (url: string): string | undefined => {
  const { username, password } = new URL(url);
  return username === '' && password === ''
    ? undefined
    : 'wanted is a URL without user and password: set PULSAR_TOKEN, or PULSAR_USERNAME and PULSAR_PASSWORD';
};

/** Settings of the message bus and its backends. */
export const messagingFields: {
  readonly messageBusType: Field<string> & { readonly default: string };
  readonly messageBusTenant: Field<string>;
  readonly pulsarServiceUrl: Field<string>;
  readonly pulsarWebUrl: Field<string>;
  readonly pulsarDriver: Field<'auto' | 'websocket' | 'native'> & { readonly default: 'auto' | 'websocket' | 'native' };
  readonly kafkaBrokers: Field<readonly string[]>;
  readonly kafkaDriver: Field<'kafkajs' | 'platformatic'> & { readonly default: 'kafkajs' | 'platformatic' };
} = {
  messageBusType: withDefault(
    field.string({ env: 'MESSAGE_BUS_TYPE', path: 'messaging.backend', about: 'Backend of the message bus.' }),
    'inprocess',
  ),
  messageBusTenant: field.string({
    env: 'MESSAGE_BUS_TENANT',
    path: 'messaging.tenant',
    about: "Tenant whose topics and groups these are, as tenant or tenant/namespace. Not set: the backend's default.",
    check: (tenant) =>
      /^[\w-]{1,100}(\/[\w-]{1,100})?$/.test(tenant)
        ? undefined
        : 'wanted is a tenant, or tenant/namespace, of letters, digits, "_" and "-"',
  }),
  pulsarServiceUrl: field.url(['pulsar', 'pulsar+ssl', 'http', 'https', 'ws', 'wss'], {
    env: 'PULSAR_SERVICE_URL',
    path: 'pulsar.serviceUrl',
    about: 'Binary service URL of Pulsar; an http or ws URL stands for the web URL.',
    check: withoutUser,
  }),
  pulsarWebUrl: field.url(['http', 'https'], {
    env: 'PULSAR_WEB_URL',
    path: 'pulsar.webUrl',
    about: "HTTP URL of Pulsar, for WebSocket and administration. Not set: the service URL's host at 8080 or 8443.",
    check: withoutUser,
  }),
  pulsarDriver: withDefault(
    field.oneOf(['auto', 'websocket', 'native'], {
      env: 'PULSAR_DRIVER',
      path: 'pulsar.driver',
      about: 'How to speak to Pulsar: its WebSocket API, the package pulsar-client, or that where its addon loads.',
    }),
    'auto',
  ),
  kafkaBrokers: field.list({
    env: 'KAFKA_BROKERS',
    path: 'kafka.brokers',
    about: 'Kafka brokers to begin with, as host:port.',
    check: (brokers) => {
      // What stands before an @ may be a secret, also what its commas made brokers of.
      if (brokers.some((broker) => broker.includes('@')))
        return 'wanted is host:port, without user and password: set KAFKA_USERNAME and KAFKA_PASSWORD';
      const bad = brokers.filter((broker) => !isHostAndPort(broker));
      return bad.length === 0 ? undefined : `wanted is host:port, not ${bad.map((broker) => `"${broker}"`).join(', ')}`;
    },
  }),
  kafkaDriver: withDefault(
    field.oneOf(['kafkajs', 'platformatic'], {
      env: 'KAFKA_DRIVER',
      path: 'kafka.driver',
      about: 'How to speak to Kafka: kafkajs, or the package @platformatic/kafka, made for Node.js 22.22 and newer.',
    }),
    'kafkajs',
  ),
};

const isHostAndPort = (broker: string): boolean => {
  const [, port] = /^(?:[\w.-]+|\[[\da-fA-F:.]+\]):(\d{1,5})$/.exec(broker) ?? [];
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
};

/** The options of an adapter for the tenant of the configuration. */
export function tenantOptions(config: { readonly messageBusTenant?: string | undefined }): {
  readonly tenant?: string;
  readonly namespace?: string;
} {
  const [tenant, namespace = 'default'] = config.messageBusTenant?.split('/') ?? [];
  return tenant === undefined ? {} : { tenant, namespace };
}

/**
 * The two addresses of a Pulsar cluster. `serviceUrl` is the binary one and undefined when only a web address is known; the web URL is
 * what `PULSAR_WEB_URL` says, else an http(s) or ws(s) service URL, else the service URL's host at 8080, with TLS at 8443.
 */
export function pulsarUrls(config: {
  readonly pulsarServiceUrl?: string | undefined;
  readonly pulsarWebUrl?: string | undefined;
}): { readonly serviceUrl?: string; readonly webUrl?: string } {
  const { pulsarServiceUrl, pulsarWebUrl } = config;
  if (pulsarServiceUrl === undefined) return pulsarWebUrl === undefined ? {} : { webUrl: pulsarWebUrl };
  const { protocol, hostname, host } = new URL(pulsarServiceUrl);
  if (protocol.startsWith('pulsar')) {
    const standard = protocol === 'pulsar:' ? `http://${hostname}:8080` : `https://${hostname}:8443`;
    return { serviceUrl: pulsarServiceUrl, webUrl: pulsarWebUrl ?? standard };
  }
  return { webUrl: pulsarWebUrl ?? `${protocol === 'http:' || protocol === 'ws:' ? 'http' : 'https'}://${host}` };
}

/** Settings of a ClickHouse server. Without a host the embedded engine is used. */
export const clickhouseFields: {
  readonly clickhouseHost: Field<string>;
  readonly clickhousePort: Field<number> & { readonly default: number };
  readonly clickhouseDatabase: Field<string> & { readonly default: string };
  readonly clickhouseUser: Field<string> & { readonly default: string };
  readonly clickhousePassword: Field<Secret>;
} = {
  clickhouseHost: field.string({
    env: 'CLICKHOUSE_HOST',
    path: 'clickhouse.host',
    about: 'Host of a ClickHouse server, or its http(s) URL. Not set: the embedded engine.',
  }),
  clickhousePort: withDefault(
    field.integer({
      env: 'CLICKHOUSE_PORT',
      path: 'clickhouse.port',
      about: 'HTTP port of the ClickHouse server.',
      min: 1,
      max: 65_535,
      check: (port) =>
        port === 9_000
          ? "9000 is ClickHouse's native protocol; use the HTTP port, 8123 unless it was changed"
          : undefined,
    }),
    8_123,
  ),
  clickhouseDatabase: withDefault(
    field.string({
      env: 'CLICKHOUSE_DATABASE',
      path: 'clickhouse.database',
      about: 'Database of the event store and the read models.',
      check: (name) =>
        /^[A-Za-z_]\w*$/.test(name) ? undefined : 'wanted is a name of letters, digits and underscores',
    }),
    'bento',
  ),
  clickhouseUser: withDefault(
    field.string({ env: 'CLICKHOUSE_USER', path: 'clickhouse.user', about: 'User name.' }),
    'default',
  ),
  clickhousePassword: field.secret({ env: 'CLICKHOUSE_PASSWORD', path: 'clickhouse.password', about: 'Password.' }),
};
