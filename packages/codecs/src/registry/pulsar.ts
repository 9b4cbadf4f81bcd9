import type { CodecContext } from '@bento-bus/core';
import { Answers, Refusal } from './cache.ts';
import type { Compatibility, SchemaRegistryClient } from './client.ts';
import { type Answer, broken, busy, createAsk, objectOf, type Question, reasonOf, unexpected } from './http.ts';
import { checked, keyOf, Marks, Writers } from './marks.ts';
import { type RegistryOptions, resolveRegistryOptions } from './options.ts';
import type { SchemaFormat, SchemaMark, SchemaText, WriterSchema } from './port.ts';
import { protobufNative } from './pulsar-protobuf.ts';
import { placeOf, type SchemaPlace } from './pulsar-topic.ts';
import { afterRaces } from './races.ts';
import { refused } from './refusals.ts';
import { reasonIn, sentenceOf } from './sentence.ts';

/** Options of {@link createPulsarRegistry}. */
export interface PulsarRegistryOptions extends RegistryOptions {
  /** `http://broker:8080`, of a broker or a proxy. Several of one cluster: the next is asked when one does not answer. */
  readonly webUrl: string | readonly string[];
  /** @default 'public' */
  readonly tenant?: string;
  /** @default 'default' */
  readonly namespace?: string;
  /**
   * Under which topic's name a schema is kept; Pulsar has one schema a topic, which evolves. Name one for each type, such as
   * `orders.order-placed`, where a topic carries several: it need not exist as a topic.
   * @default the topic of the message
   */
  readonly subject?: (context: CodecContext) => string;
}

interface Uploaded {
  readonly version: number;
}

/** Whose header says with which schema a body was written: `tenant/namespace/topic/version`. */
const schemaHeader = 'bento-schema';

/** Jetty's page in JSON is none where the reason has quotes in it. */
const anything = '*/*';

/**
 * The registry inside Pulsar, over its administration API. Bodies are bare, as Pulsar's own clients have them; the header `bento-schema`
 * names the schema, with its topic, so that it is found from a retry or dead-letter topic too. A message without that header (of another
 * client, or Protobuf) is read with the reader's schema alone.
 *
 * Avro schemas are kept as AVRO; JSON ones as JSON, which Pulsar wants as an Avro record; protobuf ones as PROTOBUF_NATIVE, for which
 * `protobufjs` must be installed. What Pulsar refuses by the namespace's compatibility strategy (FULL unless it was changed) is a
 * `CodecError` with its reason, as is an unknown version; errors otherwise as in {@link createConfluentRegistry}. Nothing to close.
 */
export function createPulsarRegistry(options: PulsarRegistryOptions): SchemaRegistryClient {
  const { webUrl, tenant = 'public', namespace = 'default', subject = ({ topic }) => topic } = options;
  const faults: string[] = [];
  for (const [name, value] of Object.entries({ tenant, namespace }))
    if (typeof value !== 'string' || !/^[\w.=:-]+$/.test(value) || /^\.+$/.test(value))
      faults.push(`${name} is no name that Pulsar can have`);
  if (typeof subject !== 'function') faults.push('subject is no function');
  const resolved = resolveRegistryOptions('Pulsar registry', 'webUrl', webUrl, options, faults);
  const ask = createAsk(resolved, { mediaType: 'application/json', accept: anything, isBusy });
  const limits = { size: resolved.cacheSize, refusalMs: resolved.negativeTtlMs };
  const uploaded = new Answers<string, Uploaded>(limits);
  const schemas = new Answers<string, SchemaText>(limits);
  const marks = new Marks(resolved.cacheSize);
  const writers = new Writers();

  const topicOf = (format: SchemaFormat, context: CodecContext): SchemaPlace => {
    const topic: unknown = subject(context);
    const place = typeof topic === 'string' ? placeOf(topic, tenant, namespace) : undefined;
    if (place !== undefined) return place;
    throw refused('encode', format, context, {
      problem: 'Pulsar can have no schema for a topic of that name',
      advice: 'Give a name without a slash, or persistent://tenant/namespace/topic.',
    });
  };

  const compare = async (body: string, { name, path }: SchemaPlace): Promise<Compatibility> => {
    const question: Question = {
      what: `compare the schema of topic "${name}"`,
      method: 'POST',
      path: `${path}/compatibility`,
      body,
      // Pulsar says so with status 500 and a stack trace.
      isAnswer: ({ status, text }) => status === 500 && isIncompatible(text),
    };
    return compatibilityOf(question, await ask(question));
  };

  const upload = async (
    schema: SchemaText,
    { name, path }: SchemaPlace,
    message: readonly number[] | undefined,
  ): Promise<Uploaded | Refusal> => {
    const body = await bodyOf(schema, message);
    if (body instanceof Refusal) return body;
    const verb = resolved.register ? 'upload' : 'look up';
    const question: Question = {
      what: `${verb} the schema of topic "${name}"`,
      method: 'POST',
      path: `${path}/${resolved.register ? 'schema' : 'version'}`,
      body,
    };
    const { answer, raced } = await afterRaces(
      () => ask(question),
      async ({ text }) => !isIncompatible(text) && (await compare(body, { name, path })).compatible,
    );
    if (raced) throw busy(question, answer);
    if (answer.status >= 300) return refusalOf(question, answer, name);
    const { version } = objectOf(question, answer);
    const number = typeof version === 'object' && version !== null ? (version as Partial<Uploaded>).version : version;
    if (typeof number !== 'number' || !Number.isInteger(number)) throw broken(question);
    if (number >= 0) return { version: number };
    return new Refusal(`topic "${name}" does not have its schema`, 'Upload it first, or leave register at true.');
  };

  const read = async ({ name, path }: SchemaPlace, version: string): Promise<SchemaText | Refusal> => {
    const question: Question = { what: `read schema ${version} of topic "${name}"`, path: `${path}/schema/${version}` };
    const answer = await ask(question);
    if (isMissing(answer))
      return new Refusal(
        `topic "${name}" has no schema with version ${version}`,
        `See that it was written by this cluster, and what its header "${schemaHeader}" says.`,
      );
    if (answer.status >= 300) throw unexpected(question, answer);
    const { type, data } = objectOf(question, answer);
    if (typeof data !== 'string') throw broken(question);
    if (type === 'AVRO' || type === 'JSON') return { format: type, text: data };
    return new Refusal(
      `schema ${version} of topic "${name}" is of the type ${String(type)}`,
      'Read it with its codec.',
    );
  };

  const markOf = (
    schema: SchemaText,
    context: CodecContext,
    { name }: SchemaPlace,
    key: string,
    answer: Uploaded | Refusal,
  ): SchemaMark => {
    if (answer instanceof Refusal) throw refused('encode', schema.format, context, answer);
    // The reader of protobuf needs nothing but its own schema.
    const headers = schema.format === 'PROTOBUF' ? undefined : { [schemaHeader]: `${name}/${answer.version}` };
    const mark: SchemaMark = { prefix: nothing, ...(headers !== undefined && { headers }) };
    marks.set(schema, key, mark);
    return mark;
  };

  const writerOf = (
    context: CodecContext,
    format: SchemaFormat,
    id: string,
    found: SchemaText | Refusal,
  ): WriterSchema => writers.of(id, checked(found, format, context, `header ${schemaHeader}`), 0);

  return {
    mark(schema, context, message) {
      const key = keyOf(subject(context), message);
      const mark = marks.get(schema, key);
      if (mark !== undefined) return mark;
      const place = topicOf(schema.format, context);
      const inFull = `${keyOf(place.name, message)}\n${schema.format}\n${schema.text}`;
      const known = uploaded.get(inFull);
      if (known !== undefined) return markOf(schema, context, place, key, known);
      return uploaded
        .load(inFull, () => upload(schema, place, message))
        .then((answer) => markOf(schema, context, place, key, answer));
    },

    writerOf(_, context, format) {
      const id = context.headers[schemaHeader];
      if (id === undefined || format === 'PROTOBUF') return undefined;
      const known = schemas.get(id);
      if (known !== undefined) return writerOf(context, format, id, known);
      const parts = /^([^/]+\/[^/]+\/[^/]+)\/(\d{1,9})$/.exec(id.length > 1_000 ? '' : id);
      const place = parts === null ? undefined : placeOf(`persistent://${parts[1]}`, tenant, namespace);
      if (parts === null || place === undefined)
        throw refused('decode', format, context, badHeader, `header ${schemaHeader}`);
      return schemas
        .load(id, () => read(place, parts[2] as string))
        .then((schema) => writerOf(context, format, id, schema));
    },

    async compatible(schema, context, message) {
      const place = topicOf(schema.format, context);
      const body = await bodyOf(schema, message);
      return body instanceof Refusal ? { compatible: false, reason: body.problem } : compare(body, place);
    },
  };
}

const nothing = new Uint8Array(0);

const badHeader = {
  problem: `its header "${schemaHeader}" is not "tenant/namespace/topic/version"`,
  advice: 'Correct the producer.',
};

/** Pulsar's own words for a schema, topic or namespace that is not there, and for a name that can be none. Other 404s come from what is no Pulsar. */
const isMissing = ({ status, text }: Answer): boolean =>
  (status === 404 && reasonIn(text) === 'Schema not found') || isBadName({ status, text });

const isBadName = ({ status, text }: Answer): boolean => status === 412 && /not valid|invalid/i.test(text);

/** A namespace that moves to another broker, for one. */
const isBusy = (answer: Answer): boolean => answer.status === 412 && !isBadName(answer);

const isIncompatible = (text: string): boolean => /IncompatibleSchema|schema compatibility check/i.test(text);

async function bodyOf({ format, text }: SchemaText, message: readonly number[] | undefined): Promise<string | Refusal> {
  if (format !== 'PROTOBUF') return JSON.stringify({ type: format, schema: text, properties: {} });
  const schema = await protobufNative(text, message);
  return schema instanceof Refusal ? schema : JSON.stringify({ type: 'PROTOBUF_NATIVE', schema, properties: {} });
}

function refusalOf(question: Question, answer: Answer, name: string): Refusal {
  const { status, text } = answer;
  if (status !== 409 && status !== 422) throw unexpected(question, answer);
  return new Refusal(
    `Pulsar refuses its schema for topic "${name}": ${reasonOf(status, text)}`,
    status === 409 ? 'Make it compatible, or set the strategy of the namespace.' : 'Correct the schema.',
  );
}

function compatibilityOf(question: Question, answer: Answer): Compatibility {
  const { status, text } = answer;
  if (status === 409 || status === 422 || status === 500) return { compatible: false, reason: sentenceOf(text) };
  if (status >= 300) throw unexpected(question, answer);
  const { compatibility } = objectOf(question, answer);
  if (typeof compatibility !== 'boolean') throw broken(question);
  return compatibility ? { compatible: true } : { compatible: false, reason: 'Pulsar gives no reason' };
}
