import { configurationError, type EventCatalogue, type EventDefinition, type StandardSchemaV1 } from '@bento-bus/core';

/** A JSON Schema; booleans are schemas too, below the first level. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Dialects that are asked for. */
export type JsonSchemaTarget = 'draft-2020-12' | 'draft-07';

/** The schema of one version of an event type, and where it travels. */
export interface EventSchema {
  readonly topic: string;
  readonly schema: JsonSchema;
}

/** By event type, then by version. Types in the order of their code units, versions ascending. */
export type EventSchemas = Readonly<Record<string, Readonly<Record<number, EventSchema>>>>;

/** How JSON Schemas are made. */
export interface JsonSchemaOptions {
  /**
   * JSON Schema of a schema that has no Standard JSON Schema, or of all when given: it is asked first, and undefined leaves it to the
   * schema itself. @default Standard JSON Schema (https://standardschema.dev/json-schema), as zod 4.2 and newer implement it
   */
  readonly toJsonSchema?: (
    schema: StandardSchemaV1,
    target: JsonSchemaTarget,
    definition: EventDefinition,
  ) => JsonSchema | undefined;
}

/** One version of an event type, described. */
export interface DescribedEvent {
  readonly definition: EventDefinition;
  readonly schema: JsonSchema;
}

/** What of Standard JSON Schema is used here; core has the rest of the standard's types. */
interface JsonSchemaConverter {
  readonly input: (options: { readonly target: JsonSchemaTarget }) => JsonSchema;
}

/**
 * JSON Schemas (draft 2020-12) of the events of catalogues: of what travels, which is the schema's input. A type may stand in several
 * catalogues with different versions, so that a document can describe the versions before the current one too.
 *
 * Throws one `CONFIGURATION` error that names every event whose schema cannot say itself as JSON Schema, and every version of a type
 * that is defined twice.
 */
export function jsonSchemas(catalogues: readonly EventCatalogue[], options: JsonSchemaOptions = {}): EventSchemas {
  const schemas = new Map<string, Record<number, EventSchema>>();
  for (const { definition, schema } of describe(catalogues, 'draft-2020-12', options)) {
    const { type, version, topic } = definition;
    schemas.set(type, { ...schemas.get(type), [version]: { topic, schema } });
  }
  return Object.fromEntries(schemas);
}

/** Every version of every type, sorted by both. Throws a `CONFIGURATION` error that names every fault. */
export function describe(
  catalogues: readonly EventCatalogue[],
  target: JsonSchemaTarget,
  { toJsonSchema }: JsonSchemaOptions,
): DescribedEvent[] {
  const faults: string[] = [];
  const described: DescribedEvent[] = [];
  for (const definition of definitionsOf(catalogues, faults)) {
    try {
      const schema =
        toJsonSchema?.(definition.schema, target, definition) ?? converterOf(definition)?.input({ target });
      if (schema === undefined) faults.push(`${nameOf(definition)}: ${noJsonSchema(definition)}`);
      else described.push({ definition, schema });
    } catch (error) {
      const reason = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
      faults.push(
        `${nameOf(definition)}: its schema cannot be written as JSON Schema (${reason}); ${describeWhatTravels}`,
      );
    }
  }
  if (faults.length > 0) throw configurationError('codecs: cannot describe the catalogues', faults);
  return described;
}

function definitionsOf(catalogues: readonly EventCatalogue[], faults: string[]): EventDefinition[] {
  const found = new Map<string, EventDefinition>();
  for (const definition of catalogues.flatMap((catalogue) => Object.values(catalogue))) {
    const name = nameOf(definition);
    const known = found.get(name) ?? definition;
    if (known !== definition) faults.push(`${name} is defined twice; name each version of a type once`);
    found.set(name, known);
  }
  return [...found.values()].toSorted((a, b) => compareText(a.type, b.type) || a.version - b.version);
}

const nameOf = ({ type, version }: EventDefinition): string => `"${type}" of version ${version}`;

/** By code units: the same everywhere, whatever the locale. */
export const compareText = (a: string, b: string): number => Number(a > b) - Number(a < b);

function converterOf({ schema }: EventDefinition): JsonSchemaConverter | undefined {
  const standard = schema['~standard'] as { readonly jsonSchema?: JsonSchemaConverter };
  return typeof standard.jsonSchema?.input === 'function' ? standard.jsonSchema : undefined;
}

const noJsonSchema = ({ schema }: EventDefinition): string =>
  `its schema (of "${schema['~standard'].vendor}") has no Standard JSON Schema; take a library that has it, such as zod 4.2 and newer, or pass toJsonSchema`;

const describeWhatTravels =
  'a schema should take what travels, such as z.iso.datetime() with a transform, or pass toJsonSchema';
