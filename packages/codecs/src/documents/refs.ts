import type { JsonSchema } from './json-schemas.ts';

/** Keywords whose values are data and no schemas. */
const dataKeywords: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples']);
/** Keywords whose values are maps from names, which may look like keywords, to schemas. */
const mapKeywords: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);

/** The schema with its own references, `#…`, moved below a place of the document that it becomes a part of. */
export const withRefsBelow = (schema: JsonSchema, place: string): JsonSchema => moved(schema, place) as JsonSchema;

function moved(value: unknown, place: string): unknown {
  if (Array.isArray(value)) return value.map((one) => moved(one, place));
  if (!isSchemaObject(value)) return value;
  const entries = Object.entries(value).map(([keyword, part]): [string, unknown] => {
    if (keyword === '$ref' && typeof part === 'string' && part.startsWith('#')) return [keyword, place + part.slice(1)];
    if (dataKeywords.has(keyword)) return [keyword, part];
    if (mapKeywords.has(keyword) && isSchemaObject(part)) {
      return [keyword, Object.fromEntries(Object.entries(part).map(([name, one]) => [name, moved(one, place)]))];
    }
    return [keyword, moved(part, place)];
  });
  return Object.fromEntries(entries);
}

/** The schema that a reference of a document names; undefined: it is elsewhere, or nowhere. */
export function resolveRef(root: unknown, ref: string): unknown {
  if (!ref.startsWith('#')) return undefined;
  let at: unknown = root;
  for (const part of ref.slice(1).split('/').slice(1)) {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Record<string, unknown>)[name];
  }
  return at;
}

export const isSchemaObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
