import type { FastifyInstance, FastifySchemaCompiler, FastifySerializerCompiler, FastifyTypeProvider } from 'fastify';
import { z } from 'zod';
import { InvalidRequest } from './problems.ts';

/** Schemas of routes are zod's: what a handler gets is what they give. */
export interface ZodTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown;
}

/** A server whose routes have zod schemas. */
export type Server = FastifyInstance<
  import('node:http').Server,
  import('node:http').IncomingMessage,
  import('node:http').ServerResponse,
  import('fastify').FastifyBaseLogger,
  ZodTypes
>;

export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (value) => {
    const result = schema.safeParse(value);
    if (result.success) return { value: result.data };
    return { error: new InvalidRequest(httpPart ?? 'body', result.error.issues) };
  };

/** Answers are checked by tests against the document, not one by one. */
export const serializerCompiler: FastifySerializerCompiler<unknown> = () => (value) => JSON.stringify(value);

const isZod = (value: unknown): value is z.ZodType => value instanceof z.ZodType;

const jsonSchemaOf = (schema: z.ZodType, io: 'input' | 'output'): object => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' });
  return json;
};

/** Zod anywhere in a route's schema becomes JSON Schema. */
export function documented(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const convert = (value: unknown, io: 'input' | 'output'): unknown => {
    if (isZod(value)) return jsonSchemaOf(value, io);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, convert(inner, io)]));
  };
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [name, convert(value, name === 'response' ? 'output' : 'input')]),
  );
}
