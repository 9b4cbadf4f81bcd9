import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ConfigOf,
  clickhouseFields,
  type Field,
  type Fields,
  field,
  loadConfig,
  messagingFields,
  type Secret,
  securityFields,
} from '@bento-bus/runtime';
import type { BentoIo } from '../io.ts';

function isDecodable(url: string): boolean {
  const { username, password } = new URL(url);
  try {
    decodeURIComponent(`${username}:${password}`);
    return true;
  } catch {
    return false;
  }
}

const registryFields: {
  readonly registryUrl: Field<string>;
  readonly registryUsername: Field<string>;
  readonly registryPassword: Field<Secret>;
} = {
  registryUrl: field.url(['http', 'https'], {
    env: 'SCHEMA_REGISTRY_URL',
    path: 'registry.url',
    about: "A schema registry with the API of Confluent's. Not set: on Pulsar, its own.",
    check: (url) =>
      isDecodable(url)
        ? undefined
        : 'wanted are user and password percent-encoded (% itself is %25), or by settings of their own',
  }),
  registryUsername: field.string({ env: 'SCHEMA_REGISTRY_USERNAME', path: 'registry.username', about: 'User name.' }),
  registryPassword: field.secret({ env: 'SCHEMA_REGISTRY_PASSWORD', path: 'registry.password', about: 'Password.' }),
};

const fields: typeof messagingFields & typeof securityFields & typeof clickhouseFields & typeof registryFields = {
  ...messagingFields,
  ...securityFields,
  ...clickhouseFields,
  ...registryFields,
};

/** Settings of the command line: those of applications, and the registry. */
export type BentoConfig = ConfigOf<typeof fields>;

/** The names of the environment, for help and documentation. */
export const settings: readonly Pick<Field<unknown>, 'env' | 'about'>[] = Object.values(fields);

export const backends = ['inprocess', 'pulsar', 'kafka'] as const;
export type Backend = (typeof backends)[number];

/**
 * From the environment, then `.env` and `bento.config.json` of the folder, then what a launcher found (BENTO_FOUND, a JSON object). Throws
 * one `CONFIGURATION` error that names every fault. `backend` wins over all.
 */
export function readConfig({ cwd, env }: Pick<BentoIo, 'cwd' | 'env'>, backend?: Backend): BentoConfig {
  const file = join(cwd, 'bento.config.json');
  const given = backend === undefined ? env : { ...env, MESSAGE_BUS_TYPE: backend };
  const known = {
    ...fields,
    messageBusType: {
      ...field.oneOf(backends, { ...messagingFields.messageBusType }),
      default: messagingFields.messageBusType.default,
    },
  };
  return loadConfig(
    { ...foreign(file), ...known },
    { env: given, envFile: join(cwd, '.env'), file, found: foundBy(env) },
  );
}

/** What a launcher found that is not understood is as nothing found. */
function foundBy(env: BentoIo['env']): Readonly<Record<string, string>> {
  try {
    return JSON.parse(env['BENTO_FOUND'] ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Sections of the file whose every setting is known here, but for these. */
const ours: ReadonlySet<string> = new Set(Object.values(fields).flatMap(({ path }) => path?.split('.', 1) ?? []));
const foreignInOurs = ['messaging.codec'];

/** The file is the application's too: settings of its own are none of ours, and no faults. */
function foreign(file: string): Fields {
  const leaves = (value: unknown, path: string): string[] =>
    isObject(value) ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`)) : [path];
  const paths = Object.entries(contentOf(file))
    .filter(([section]) => !ours.has(section))
    .flatMap(([section, value]) => leaves(value, section));
  return Object.fromEntries(
    [...foreignInOurs, ...paths].map((path) => [
      `foreign ${path}`,
      { env: '', path, about: "The application's.", wanted: 'anything', parse: (raw: unknown) => raw },
    ]),
  );
}

function contentOf(file: string): Readonly<Record<string, unknown>> {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\ufeff/, ''));
    return isObject(content) ? content : {};
  } catch {
    // There is none, or `loadConfig` tells what is wrong with it.
    return {};
  }
}
