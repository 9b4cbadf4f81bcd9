import { join } from 'node:path';
import {
  type ConfigOf,
  clickhouseFields,
  field,
  loadConfig,
  logLevels,
  messagingFields,
  securityFields,
  withDefault,
} from '@bento-bus/runtime';
import { codecNames } from './codec-names.ts';

const fields = {
  ...messagingFields,
  ...securityFields,
  ...clickhouseFields,
  messageCodec: withDefault(
    field.oneOf(codecNames, { env: 'MESSAGE_CODEC', path: 'messaging.codec', about: 'How bodies are written.' }),
    'json',
  ),
  // What goes wrong in a command is said by the command itself, in one line: see the defaults where it is used.
  logLevel: field.oneOf(logLevels, { env: 'LOG_LEVEL', path: 'log.level', about: 'Least level of log lines.' }),
  host: withDefault(
    field.string({ env: 'HOST', path: 'http.host', about: 'Where `serve` listens: an address or a name.' }),
    '127.0.0.1',
  ),
  port: withDefault(
    field.integer({ env: 'PORT', path: 'http.port', about: 'Port of `serve`; 0: any.', min: 0, max: 65_535 }),
    3_000,
  ),
  allowedHosts: field.list({
    env: 'ALLOWED_HOSTS',
    path: 'http.allowedHosts',
    about: 'Names that `serve` answers to, beside its address, HOST and localhost.',
  }),
  notifier: withDefault(
    field.oneOf(['file', 'failing'], {
      env: 'NOTIFIER',
      path: 'notifier',
      about: 'Who tells customers: a file in the data directory, or one that always fails, to see what an outage does.',
    }),
    'file',
  ),
  // By the names that OpenTelemetry gives them. What else its SDK and exporter read of the environment stays their own.
  otlpEndpoint: field.url(['http', 'https'], {
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    path: 'traces.endpoint',
    about: 'Collector of OpenTelemetry that takes traces, at /v1/traces below this URL: OTLP as JSON over HTTP.',
  }),
  otlpTracesEndpoint: field.url(['http', 'https'], {
    env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    path: 'traces.url',
    about: 'The whole URL that takes traces, in place of what OTEL_EXPORTER_OTLP_ENDPOINT says.',
  }),
  serviceName: field.string({
    env: 'OTEL_SERVICE_NAME',
    path: 'traces.serviceName',
    about: 'Name of the application in traces.',
  }),
  otelDisabled: withDefault(
    field.boolean({ env: 'OTEL_SDK_DISABLED', path: 'traces.disabled', about: 'No traces, whatever else is set.' }),
    false,
  ),
};

/** Settings of the application. */
export type OrderAppConfig = ConfigOf<typeof fields>;

/**
 * From the environment, then `.env` and `bento.config.json` of a folder, then what `npm start` found of the servers that `npm run stack` had
 * started (BENTO_FOUND, a JSON object). Throws one `CONFIGURATION` error that names every fault.
 */
export const readConfig = (folder: string): OrderAppConfig =>
  loadConfig(fields, {
    envFile: join(folder, '.env'),
    file: join(folder, 'bento.config.json'),
    found: JSON.parse(process.env['BENTO_FOUND'] ?? '{}') as Record<string, string>,
  });
