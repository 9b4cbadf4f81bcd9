import { type Field, field, withDefault } from './fields.ts';
import type { Secret } from './secret.ts';

/** Settings of the message bus. */
export const messagingFields: { readonly messageBusType: Field<string> & { readonly default: string } } = {
  messageBusType: withDefault(
    field.string({ env: 'MESSAGE_BUS_TYPE', path: 'messaging.backend', about: 'Backend of the message bus.' }),
    'inprocess',
  ),
};

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
