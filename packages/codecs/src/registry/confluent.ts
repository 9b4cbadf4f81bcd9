import type { CodecContext } from '@bento-bus/core';
import { isWellFormed } from '../text.ts';
import { Answers, Refusal } from './cache.ts';
import type { Compatibility, SchemaRegistryClient } from './client.ts';
import { frame, headSize, idOf, pathOf } from './framing.ts';
import { type Answer, broken, createAsk, objectOf, type Question, reasonOf, unexpected } from './http.ts';
import { checked, keyOf, Marks, Writers } from './marks.ts';
import { type RegistryOptions, resolveRegistryOptions } from './options.ts';
import type { SchemaFormat, SchemaMark, SchemaText, WriterSchema } from './port.ts';
import { afterRaces } from './races.ts';
import { inlined } from './references.ts';
import { refused } from './refusals.ts';
import { errorCodeOf, sentenceOf } from './sentence.ts';
import { recordName } from './subject.ts';

/** Options of {@link createConfluentRegistry}. */
export interface ConfluentRegistryOptions extends RegistryOptions {
  /** Where the API begins: `http://registry:8081`; Apicurio: `http://registry:8080/apis/ccompat/v7`. */
  readonly url?: string;
  /** Several of one registry: the next is asked when one does not answer. */
  readonly urls?: readonly string[];
  /**
   * Under which name a schema evolves. `topic`: `<topic>-value`; `record`: the full name of the record (Avro), message (protobuf) or the
   * title (JSON Schema); `topic-record`: both, with a hyphen. With several types in a topic, `topic` makes them versions of one another.
   * @default 'topic'
   */
  readonly subject?: 'topic' | 'record' | 'topic-record' | ((context: CodecContext) => string);
}

interface Registered {
  readonly id: number;
}

const mediaType = 'application/vnd.schemaregistry.v1+json';
/** Ids are numbers of 31 bits: the wire format has no others. */
const mostId = 2 ** 31 - 1;

/** Subject, version or schema not found; any other 404 comes from what is no such registry. */
const isNothingThere = ({ status, text }: Answer): boolean =>
  status === 404 && [40401, 40402, 40403].includes(errorCodeOf(text) ?? 0);

/**
 * A registry that has the API of Confluent's (tried with Apicurio): bodies begin with a zero byte and the id of their schema, as those of
 * Confluent's serializers do (wire format version 0), and either side reads the other's.
 *
 * What an id names never changes, so it is asked for once. A schema that the registry refuses is a `CodecError` with its reason, as is an
 * unknown id; a registry that is down, slow or busy is a retryable `CONNECTION` or `TIMEOUT` error, since the message is not at fault.
 * 401 and 403 are `AUTHENTICATION` and `AUTHORIZATION`. Throws a `CONFIGURATION` error for bad options. Nothing to close.
 */
export function createConfluentRegistry(options: ConfluentRegistryOptions): SchemaRegistryClient {
  const { url, urls, subject: strategy = 'topic' } = options;
  const faults: string[] = [];
  if (typeof strategy !== 'function' && !['topic', 'record', 'topic-record'].includes(strategy))
    faults.push("subject is none of 'topic', 'record', 'topic-record' and no function");
  if (url !== undefined && urls !== undefined) faults.push('url and urls are given both');
  const resolved = resolveRegistryOptions('Confluent registry', 'url', url ?? urls, options, faults);
  const ask = createAsk(resolved, { mediaType });
  const limits = { size: resolved.cacheSize, refusalMs: resolved.negativeTtlMs };
  const registered = new Answers<string, Registered>(limits);
  const schemas = new Answers<number, SchemaText>(limits);
  const marks = new Marks(resolved.cacheSize);
  const writers = new Writers();

  const nameOf = (schema: SchemaText, context: CodecContext, message: readonly number[] | undefined): string => {
    if (typeof strategy === 'function') return strategy(context);
    if (strategy === 'topic') return `${context.topic}-value`;
    const record = recordName(schema, message);
    if (record === undefined)
      throw refused('encode', schema.format, context, {
        problem: `its schema has no name for a subject of the kind '${strategy}'`,
        advice: 'Name it (a title in JSON Schema), or give another subject.',
      });
    return strategy === 'record' ? record : `${context.topic}-${record}`;
  };

  const subjectOf: typeof nameOf = (schema, context, message) => {
    const subject: unknown = nameOf(schema, context, message);
    if (typeof subject === 'string' && subject !== '' && isWellFormed(subject)) return subject;
    throw refused('encode', schema.format, context, {
      problem: 'a schema registry can have no subject of its name (it is empty, or has half a surrogate pair)',
      advice: 'Correct the name of the topic, or what subject gives.',
    });
  };

  const compare = async (schema: SchemaText, subject: string): Promise<Compatibility> => {
    const of = (versions: string): Question => ({
      what: `compare the schema of subject "${subject}"`,
      method: 'POST',
      path: `compatibility/subjects/${encodeURIComponent(subject)}/${versions}?verbose=true`,
      body: bodyOf(schema),
    });
    const question = of('versions');
    const answer = await ask(question);
    if (answer.status !== 405 && (answer.status !== 404 || isNothingThere(answer)))
      return compatibilityOf(question, answer);
    // Not every registry compares with all versions that count, as registering does; each does with the last one.
    const last = of('versions/latest');
    return compatibilityOf(last, await ask(last));
  };

  const register = async (schema: SchemaText, subject: string): Promise<Registered | Refusal> => {
    const question: Question = {
      what: `${resolved.register ? 'register' : 'look up'} the schema of subject "${subject}"`,
      method: 'POST',
      path: `subjects/${encodeURIComponent(subject)}${resolved.register ? '/versions' : ''}`,
      body: bodyOf(schema),
    };
    const { answer } = await afterRaces(
      () => ask(question),
      async () => (await compare(schema, subject)).compatible,
    );
    if (answer.status >= 300) return refusalOf(question, answer, subject);
    const { id } = objectOf(question, answer);
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > mostId) throw broken(question);
    return { id };
  };

  const read = async (id: number): Promise<SchemaText | Refusal> => {
    const question: Question = { what: `read the schema with id ${id}`, path: `schemas/ids/${id}` };
    const answer = await ask(question);
    if (answer.status < 300) return inlined(ask, question, objectOf(question, answer));
    if (!isNothingThere(answer)) throw unexpected(question, answer);
    return new Refusal(
      `the schema registry has no schema with id ${id}`,
      'See that it was written with this registry, and by a serializer of its wire format.',
    );
  };

  const markOf = (
    schema: SchemaText,
    context: CodecContext,
    key: string,
    message: readonly number[] | undefined,
    answer: Registered | Refusal,
  ): SchemaMark => {
    if (answer instanceof Refusal) throw refused('encode', schema.format, context, answer);
    const path = schema.format === 'PROTOBUF' ? (message ?? [0]) : undefined;
    const mark = { prefix: frame(answer.id, path) };
    marks.set(schema, key, mark);
    return mark;
  };

  const writerOf = (
    body: Uint8Array,
    context: CodecContext,
    format: SchemaFormat,
    id: number,
    found: SchemaText | Refusal,
  ): WriterSchema => {
    const schema = checked(found, format, context, 'byte 1');
    if (format !== 'PROTOBUF') return writers.of(id, schema, headSize);
    const path = pathOf(body);
    if (path === undefined) throw refused('decode', format, context, noPath, `byte ${headSize}`);
    return { id: String(id), schema, ...path };
  };

  return {
    mark(schema, context, message) {
      // Only what the name depends on: the subject itself is made on a miss.
      const place = typeof strategy === 'function' ? strategy(context) : strategy === 'record' ? '' : context.topic;
      const key = keyOf(place, message);
      const mark = marks.get(schema, key);
      if (mark !== undefined) return mark;
      const subject = subjectOf(schema, context, message);
      const inFull = `${subject}\n${schema.format}\n${schema.text}`;
      const known = registered.get(inFull);
      if (known !== undefined) return markOf(schema, context, key, message, known);
      return registered
        .load(inFull, () => register(schema, subject))
        .then((answer) => markOf(schema, context, key, message, answer));
    },

    writerOf(body, context, format) {
      const id = idOf(body);
      if (typeof id === 'string') throw refused('decode', format, context, { problem: id, advice: unframed }, 'byte 0');
      const known = schemas.get(id);
      if (known !== undefined) return writerOf(body, context, format, id, known);
      return schemas.load(id, () => read(id)).then((schema) => writerOf(body, context, format, id, schema));
    },

    compatible: async (schema, context, message) => compare(schema, subjectOf(schema, context, message)),
  };
}

const unframed = 'See that its producer uses this registry, or read it with a codec without one.';

const noPath = {
  problem: 'no index path of a message follows the id of its schema',
  advice: 'Correct the producer: a protobuf body has one.',
};

const bodyOf = ({ format, text }: SchemaText): string =>
  // Avro is what a registry takes a schema for that says nothing; old ones know no other.
  JSON.stringify(format === 'AVRO' ? { schema: text } : { schemaType: format, schema: text });

function refusalOf(question: Question, answer: Answer, subject: string): Refusal {
  const { status, text } = answer;
  if (isNothingThere(answer))
    return new Refusal(
      `its schema is not registered under subject "${subject}"`,
      'Register it first, or leave register at true.',
    );
  if (status !== 409 && status !== 422) throw unexpected(question, answer);
  return new Refusal(
    `the schema registry refuses its schema under subject "${subject}": ${reasonOf(status, text)}`,
    status === 409 ? 'Make it compatible, or set the compatibility of the subject.' : 'Correct the schema.',
  );
}

function compatibilityOf(question: Question, answer: Answer): Compatibility {
  const { status, text } = answer;
  // Nothing there that it could break.
  if (isNothingThere(answer)) return { compatible: true };
  if (status === 409 || status === 422) return { compatible: false, reason: sentenceOf(text) };
  if (status >= 300) throw unexpected(question, answer);
  const { is_compatible: compatible, messages, reason } = objectOf(question, answer);
  if (compatible === true) return { compatible };
  if (compatible !== false) throw broken(question);
  const told = Array.isArray(messages) && messages.length > 0 ? messages.join('; ') : reason;
  return { compatible, reason: typeof told === 'string' ? told : 'the registry gives no reason' };
}
