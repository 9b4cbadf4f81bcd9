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
  logLevel: withDefault(
    field.oneOf(logLevels, { env: 'LOG_LEVEL', path: 'log.level', about: 'Least level of log lines.' }),
    // What goes wrong is said by the command itself, in one line.
    'silent',
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
