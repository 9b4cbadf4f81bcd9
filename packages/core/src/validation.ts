import type { MaybePromise } from './buses.ts';
import { ValidationError } from './errors.ts';
import type { EventDefinition } from './events.ts';
import type { InferOutput, StandardIssue, StandardResult, StandardSchemaV1 } from './standard-schema.ts';

/** Faults named in an error's text; `issues` has all. */
const namedIssues = 10;

/**
 * The schema's output for a value; a promise only when the schema is asynchronous. Throws, or rejects with, a `ValidationError` that
 * names every field. `what` begins its text: who cannot do what.
 */
export function validate<S extends StandardSchemaV1>(
  schema: S,
  value: unknown,
  what: string,
): MaybePromise<InferOutput<S>> {
  let result: MaybePromise<StandardResult<unknown>>;
  try {
    result = schema['~standard'].validate(value);
  } catch (error) {
    throw schemaFailed(what, error);
  }
  if (!isPromise(result)) return outputOf(result, what);
  return result.then(
    (settled) => outputOf(settled, what),
    (error: unknown) => {
      throw schemaFailed(what, error);
    },
  );
}

/**
 * Data of a stored or received event as its handlers see it: brought from `version` up to the current one by the definition's
 * `upcast`, then validated. A promise only when the schema is asynchronous. Throws, or rejects with, a `ValidationError` that names the
 * fields, the unknown version, or the upcast that failed.
 */
export function decodeEvent<Output>(
  definition: EventDefinition<string, unknown, Output>,
  version: number,
  data: unknown,
): MaybePromise<Output> {
  const current = version === definition.version ? data : upcastEvent(definition, version, data);
  return validate(
    definition.schema as StandardSchemaV1<unknown, Output>,
    current,
    `core: cannot read the event "${definition.type}"`,
  );
}

/** Brings data from `version` up to the definition's current one, without validation. Throws a `ValidationError`. */
export function upcastEvent(definition: EventDefinition, version: number, data: unknown): unknown {
  const { type, version: current, upcast } = definition;
  const what = `core: cannot read the event "${type}" of version ${version}`;
  if (!Number.isSafeInteger(version) || version < 1)
    throw fault(what, 'versions are whole numbers from 1. Correct its producer');
  if (version > current) {
    throw fault(
      what,
      `the catalogue here ends at version ${current}. Deploy the newer catalogue to its consumers first`,
    );
  }
  let value = data;
  for (let from = version; from < current; from += 1) {
    try {
      // defineEvents has made sure that there is one for each version.
      value = upcast[from]?.(value as never);
    } catch (error) {
      throw fault(what, `its upcast from version ${from} failed: ${textOf(error)}. Correct the upcast`, error);
    }
  }
  return value;
}

function outputOf<Output>(result: StandardResult<Output>, what: string): Output {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.map(({ path, message }) => ({ path: pathOf(path), message }));
  const named = issues
    .slice(0, namedIssues)
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const more = issues.length > namedIssues ? `; and ${issues.length - namedIssues} more` : '';
  throw new ValidationError(`${what}: ${named.join('; ')}${more}. Correct the data.`, issues);
}

const pathOf = (path: StandardIssue['path']): string =>
  (path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');

const schemaFailed = (what: string, cause: unknown): ValidationError =>
  fault(what, `its schema failed: ${textOf(cause)}. Correct the schema`, cause);

const fault = (what: string, text: string, cause?: unknown): ValidationError =>
  new ValidationError(`${what}: ${text}.`, [{ path: '', message: text }], cause === undefined ? undefined : { cause });

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');

/** True for promises, which the fast paths look for before they wait. */
export const isPromise = <T>(value: MaybePromise<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
