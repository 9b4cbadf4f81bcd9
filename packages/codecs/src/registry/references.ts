import { shorten } from '../fault.ts';
import { isWellFormed } from '../text.ts';
import { Refusal } from './cache.ts';
import { type Answer, type Ask, broken, objectOf, type Question, unexpected } from './http.ts';
import type { SchemaFormat, SchemaText } from './port.ts';

/** Schemas that one schema may need. */
const mostReferences = 100;

type Fields = Readonly<Record<string, unknown>>;

/**
 * The schema in an answer. An Avro schema that names others, registered apart from it, comes whole: each is put where it is named first.
 * Protobuf needs no imports to be read, as its reader has its own; nor does JSON.
 */
export async function inlined(ask: Ask, question: Question, fields: Fields): Promise<SchemaText | Refusal> {
  const { schema: text, schemaType = 'AVRO' } = fields;
  if (typeof text !== 'string' || typeof schemaType !== 'string') throw broken(question);
  if (!isFormat(schemaType))
    return new Refusal(`its schema is of the type "${shorten(schemaType)}"`, 'Read it with a codec of that type.');
  if (schemaType !== 'AVRO' || !hasReferences(fields)) return { format: schemaType, text };
  const named = new Map<string, unknown>();
  /** False: there are too many. */
  const collect = async ({ references }: Fields): Promise<boolean> => {
    for (const reference of references as readonly unknown[]) {
      const { name, subject, version } = referenceOf(question, reference);
      if (named.has(name)) continue;
      if (named.size >= mostReferences) return false;
      // Before it is asked for: two that name each other end here.
      named.set(name, undefined);
      const path = `subjects/${encodeURIComponent(subject)}/versions/${encodeURIComponent(version)}`;
      const next: Question = { what: `read "${name}", which a schema names`, path };
      const answer: Answer = await ask(next);
      if (answer.status >= 300) throw unexpected(next, answer);
      const found = objectOf(next, answer);
      named.set(name, jsonOf(next, found['schema']));
      if (hasReferences(found) && !(await collect(found))) return false;
    }
    return true;
  };
  if (!(await collect(fields)))
    return new Refusal(`its schema needs more than ${mostReferences} others`, 'Register it with fewer references.');
  return { format: 'AVRO', text: JSON.stringify(placed(jsonOf(question, text), named, undefined)) };
}

const hasReferences = ({ references }: Fields): boolean => Array.isArray(references) && references.length > 0;

function referenceOf(question: Question, reference: unknown): Readonly<Record<'name' | 'subject' | 'version', string>> {
  const { name, subject, version } = (reference ?? {}) as Fields;
  if (typeof name !== 'string' || !isText(subject)) throw broken(question);
  if (typeof version === 'number') return { name, subject, version: String(version) };
  if (isText(version)) return { name, subject, version };
  throw broken(question);
}

/** What a URL can carry. */
const isText = (text: unknown): text is string => typeof text === 'string' && isWellFormed(text);

const isFormat = (type: unknown): type is SchemaFormat => type === 'AVRO' || type === 'PROTOBUF' || type === 'JSON';

function jsonOf(question: Question, text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    throw broken(question);
  }
}

/** Definitions put where their names stand first; later names then mean them, as Avro has it. Only where Avro expects a type. */
function placed(type: unknown, named: Map<string, unknown>, space: string | undefined): unknown {
  if (typeof type === 'string') {
    const name = named.has(type) || space === undefined ? type : `${space}.${type}`;
    if (!named.has(name)) return type;
    const definition = named.get(name);
    named.delete(name);
    // What it names in turn is in its own namespace, and the name in full.
    return definition === undefined ? type : placed(definition, named, undefined);
  }
  if (Array.isArray(type)) return type.map((branch) => placed(branch, named, space));
  if (typeof type !== 'object' || type === null) return type;
  const { namespace, name, type: inner, items, values, fields } = type as Fields;
  const own = typeof namespace === 'string' ? namespace : (spaceOf(name) ?? space);
  return {
    ...type,
    // So that a definition keeps its names wherever it is put.
    ...(own === undefined && typeof name === 'string' && { namespace: '' }),
    ...(inner !== undefined && { type: placed(inner, named, own) }),
    ...(items !== undefined && { items: placed(items, named, own) }),
    ...(values !== undefined && { values: placed(values, named, own) }),
    ...(Array.isArray(fields) && {
      fields: fields.map((field: unknown) => placedField(field, named, own)),
    }),
  };
}

function placedField(field: unknown, named: Map<string, unknown>, space: string | undefined): unknown {
  if (typeof field !== 'object' || field === null) return field;
  return { ...field, type: placed((field as Fields)['type'], named, space) };
}

const spaceOf = (name: unknown): string | undefined =>
  typeof name === 'string' && name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : undefined;
