import {
  type Compatibility,
  createConfluentRegistry,
  createPulsarRegistry,
  type RegistryAuth,
  type SchemaText,
} from '@bento-bus/codecs';
import { BentoError } from '@bento-bus/core';
import { pulsarSecurity, pulsarUrls, tenantOptions } from '@bento-bus/runtime';
import type { BentoConfig } from './config.ts';
import { basic, getJson, type Web } from './http.ts';

/** One version of a schema. */
interface RegisteredSchema {
  readonly subject: string;
  readonly version: number;
  /** As the registry calls it: AVRO, JSON, PROTOBUF, … */
  readonly format: string;
  /** Unique in the registry, where it has ids. */
  readonly id?: number;
  readonly text: string;
}

/** What a person asks of a schema registry. */
export interface Registry {
  readonly url: string;
  /** Subjects, with their latest version. */
  list(): Promise<readonly { readonly subject: string; readonly version: number }[]>;
  /** Undefined: there is none. @default the latest version */
  show(subject: string, version?: number): Promise<RegisteredSchema | undefined>;
  check(subject: string, schema: SchemaText): Promise<Compatibility>;
}

interface RegistryOptions {
  readonly config: BentoConfig;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Names of topics, where Pulsar's schemas are. */
  readonly topics: () => Promise<readonly string[]>;
}

/** The registry of SCHEMA_REGISTRY_URL, else the one inside Pulsar. `CONFIGURATION` where there is neither. */
export function registryOf(options: RegistryOptions): Registry {
  const { config } = options;
  if (config.registryUrl !== undefined) return confluent(config.registryUrl, options);
  if (config.messageBusType === 'pulsar') return pulsar(options);
  throw new BentoError(
    'CONFIGURATION',
    'bento: cannot look at schemas: no registry is configured. Set SCHEMA_REGISTRY_URL, or choose Pulsar, which has one.',
  );
}

const context = (topic: string) => ({ topic, type: topic, version: 1, headers: {} });

function confluent(given: string, { config, signal, timeoutMs }: RegistryOptions): Registry {
  const parts = new URL(given);
  const username = config.registryUsername ?? decodeURIComponent(parts.username);
  const password = config.registryPassword?.reveal() ?? decodeURIComponent(parts.password);
  parts.username = '';
  parts.password = '';
  const url = parts.href.replace(/\/+$/, '');
  const auth = username === '' ? undefined : { username, password };
  const headers: Record<string, string> = auth === undefined ? {} : { authorization: basic(username, password) };
  const web: Web = { url, headers, signal, timeoutMs };
  return {
    url,
    list: async () => {
      const subjects = (await getJson<readonly string[]>(web, 'subjects', 'list the schemas')) ?? [];
      const found: { subject: string; version: number }[] = [];
      for (const subject of subjects.toSorted()) {
        const path = `subjects/${encodeURIComponent(subject)}/versions`;
        const versions = (await getJson<readonly number[]>(web, path, `read the versions of "${subject}"`)) ?? [];
        found.push({ subject, version: Math.max(0, ...versions) });
      }
      return found;
    },
    show: async (subject, version) => {
      const path = `subjects/${encodeURIComponent(subject)}/versions/${version ?? 'latest'}`;
      const found = await getJson<ConfluentSchema>(web, path, `read the schema of "${subject}"`);
      if (found === undefined) return undefined;
      const { version: is, id, schemaType = 'AVRO', schema } = found;
      return { subject, version: is, format: schemaType, id, text: schema };
    },
    check: (subject, schema) =>
      createConfluentRegistry({
        url,
        timeoutMs,
        subject: () => subject,
        ...(auth !== undefined && { auth }),
      }).compatible(schema, context(subject)),
  };
}

interface ConfluentSchema {
  readonly version: number;
  readonly id: number;
  readonly schemaType?: string;
  readonly schema: string;
}

interface PulsarSchema {
  readonly version: number;
  readonly type: string;
  readonly data: string;
}

function pulsar({ config, signal, timeoutMs, topics }: RegistryOptions): Registry {
  const { webUrl = 'http://localhost:8080' } = pulsarUrls(config);
  const { tenant = 'public', namespace = 'default' } = tenantOptions(config);
  const { authentication } = pulsarSecurity(config);
  if (authentication?.type === 'oauth2')
    throw new BentoError(
      'UNSUPPORTED',
      "bento: cannot look at Pulsar's schemas by OAuth2: only a token or a password can be used for it. Set PULSAR_TOKEN.",
    );
  const auth: RegistryAuth | undefined =
    authentication === undefined
      ? undefined
      : authentication.type === 'token'
        ? { token: authentication.token }
        : { username: authentication.user, password: authentication.password };
  const headers: Record<string, string> =
    authentication === undefined
      ? {}
      : authentication.type === 'token'
        ? { authorization: `Bearer ${authentication.token}` }
        : { authorization: basic(authentication.user, authentication.password) };
  const web: Web = { url: webUrl, headers, signal, timeoutMs };
  const read = (topic: string, version?: number): Promise<PulsarSchema | undefined> => {
    const path = `admin/v2/schemas/${[tenant, namespace, topic].map(encodeURIComponent).join('/')}/schema`;
    return getJson(web, version === undefined ? path : `${path}/${version}`, `read the schema of "${topic}"`);
  };
  return {
    url: webUrl,
    list: async () => {
      const found: { subject: string; version: number }[] = [];
      for (const subject of await topics()) {
        const schema = await read(subject);
        if (schema !== undefined) found.push({ subject, version: schema.version });
      }
      return found;
    },
    show: async (subject, version) => {
      const found = await read(subject, version);
      return found && { subject, version: found.version, format: found.type, text: found.data };
    },
    check: (subject, schema) =>
      createPulsarRegistry({ webUrl, tenant, namespace, timeoutMs, ...(auth !== undefined && { auth }) }).compatible(
        schema,
        context(subject),
      ),
  };
}
