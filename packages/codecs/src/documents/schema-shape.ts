import type { JsonSchema } from './json-schemas.ts';
import { isSchemaObject, resolveRef } from './refs.ts';

/** A schema, and the document that its references begin at. */
export interface Rooted {
  readonly schema: unknown;
  readonly root: unknown;
}

/** References inside references; more of them is a circle that says nothing. */
const maxRefs = 32;

/** What a value may be: the branches of `anyOf` and `oneOf`, and one for each of several types. Most schemas have one. */
export function alternativesOf({ schema, root }: Rooted, refs = 0): JsonSchema[] {
  if (!isSchemaObject(schema)) return [schema === false ? { not: {} } : {}];
  const flat = flattened(schema, root, refs);
  const { anyOf, oneOf, type, ...rest } = flat;
  const branches = [anyOf, oneOf].find((one): one is unknown[] => Array.isArray(one));
  if (branches !== undefined) {
    return branches.flatMap((branch) =>
      alternativesOf({ schema: branch, root }, refs + 1).map((one) => merged(merged(rest, typed(type)), one)),
    );
  }
  if (Array.isArray(type)) return type.map((one: unknown) => merged(rest, { type: one }));
  return [flat];
}

const typed = (type: unknown): JsonSchema => (type === undefined ? {} : { type });

/** The schema with its reference and its `allOf` put in their place. */
function flattened(schema: JsonSchema, root: unknown, refs: number): JsonSchema {
  const { $ref, allOf, ...own } = schema;
  let flat: JsonSchema = own;
  if (typeof $ref === 'string' && refs < maxRefs) {
    const target = resolveRef(root, $ref);
    flat = isSchemaObject(target) ? merged(flattened(target, root, refs + 1), own) : { ...own, $ref };
  }
  for (const part of Array.isArray(allOf) ? allOf : [])
    if (isSchemaObject(part)) flat = merged(flat, flattened(part, root, refs + 1));
  return flat;
}

/** Both at once: fields and what is required add up, of other keywords the second one's count. */
function merged(one: JsonSchema, other: JsonSchema): JsonSchema {
  const both: Record<string, unknown> = { ...one, ...other };
  if (isSchemaObject(one['properties']) && isSchemaObject(other['properties']))
    both['properties'] = { ...one['properties'], ...other['properties'] };
  if (Array.isArray(one['required']) && Array.isArray(other['required']))
    both['required'] = [...new Set([...one['required'], ...other['required']])];
  return both;
}

/** The type of an alternative; undefined: any. */
export function typeOf(schema: JsonSchema): string | undefined {
  if (typeof schema['type'] === 'string') return schema['type'];
  const values = valuesOf(schema)?.map((value) => kindOf(JSON.parse(value)));
  if (values !== undefined && new Set(values).size === 1) return values[0];
  return typeof schema['$ref'] === 'string' ? schema['$ref'] : undefined;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** The only values allowed, as JSON; undefined: no such list. */
export function valuesOf(schema: JsonSchema): readonly string[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [JSON.stringify(schema['const'])];
  return Array.isArray(schema['enum']) ? schema['enum'].map((value) => JSON.stringify(value)) : undefined;
}

/** Alternatives of two schemas that belong together, and those without a counterpart. */
export interface Pairs {
  readonly pairs: readonly (readonly [JsonSchema, JsonSchema])[];
  readonly removed: readonly JsonSchema[];
  readonly added: readonly JsonSchema[];
}

/** Pairs equal ones first, then those with the same constants, such as the tag of a union, then those of the same type. */
export function pairsOf(before: readonly JsonSchema[], after: readonly JsonSchema[]): Pairs {
  let removed = [...before];
  let added = [...after];
  const pairs: (readonly [JsonSchema, JsonSchema])[] = [];
  for (const signOf of [JSON.stringify, tagOf, typeOf] as readonly ((one: JsonSchema) => string | undefined)[]) {
    removed = removed.filter((one) => {
      const index = added.findIndex((other) => signOf(one) === signOf(other));
      if (index === -1) return true;
      pairs.push([one, added[index] as JsonSchema]);
      added = added.toSpliced(index, 1);
      return false;
    });
  }
  return { pairs, removed, added };
}

/** The type and the constants among the fields; without any, the schema itself, which nothing else equals. */
function tagOf(schema: JsonSchema): string {
  const fields = isSchemaObject(schema['properties']) ? Object.entries(schema['properties']) : [];
  const constants = fields.filter(([, field]) => isSchemaObject(field) && Object.hasOwn(field, 'const'));
  return JSON.stringify(constants.length === 0 ? schema : [typeOf(schema), constants]);
}
