import {
  configurationError,
  defineEvents,
  type EventDefinition,
  type EventInput,
  type InferInput,
  type InferOutput,
  type StandardSchemaV1,
} from '@bento-bus/core';

/** One request of a catalogue: an event definition with the schema of its reply. Made by {@link defineRequests}. */
export interface RequestDefinition<
  Type extends string = string,
  Input = unknown,
  Output = unknown,
  ReplyInput = unknown,
  ReplyOutput = unknown,
> extends EventDefinition<Type, Input, Output> {
  readonly reply: StandardSchemaV1;
  readonly '~replyInput'?: ReplyInput;
  readonly '~replyOutput'?: ReplyOutput;
}

/** The reply as the asker gets it. */
export type ReplyOf<D> = D extends RequestDefinition<string, unknown, unknown, unknown, infer Reply> ? Reply : never;

/** Requests by their wire types, as {@link defineRequests} makes them of their schemas. */
export type RequestDefinitions<
  M extends Record<string, StandardSchemaV1>,
  R extends Record<string, StandardSchemaV1>,
> = {
  readonly [K in keyof M & keyof R & string]: RequestDefinition<
    K,
    InferInput<M[K]>,
    InferOutput<M[K]>,
    InferInput<R[K]>,
    InferOutput<R[K]>
  >;
};

/**
 * Declares typed requests, frozen, as `defineEvents` does with events: object keys are the wire types, `schema` is that of the request,
 * `reply` that of its reply. Replies have the version of their request and are not upcast: change them compatibly. Throws a
 * `CONFIGURATION` error that names every fault.
 */
export function defineRequests<
  const M extends Record<string, StandardSchemaV1>,
  const R extends Record<string, StandardSchemaV1>,
>(
  defaults: { readonly topic: string },
  requests: { readonly [K in keyof M]: EventInput<M[K]> } & { readonly [K in keyof R]: { readonly reply: R[K] } },
): RequestDefinitions<M, R> {
  const events: Record<string, EventDefinition> = defineEvents(
    defaults,
    requests as Record<string, EventInput<StandardSchemaV1>>,
  );
  const faults: string[] = [];
  const definitions: Record<string, RequestDefinition> = {};
  for (const [type, event] of Object.entries(events)) {
    const { reply } = requests[type] as unknown as { readonly reply: StandardSchemaV1 };
    if (typeof (reply as Partial<StandardSchemaV1> | undefined)?.['~standard']?.validate !== 'function')
      faults.push(`${type}: reply must be a Standard Schema (zod, valibot, arktype and others make them)`);
    definitions[type] = Object.freeze({ ...event, reply });
  }
  if (faults.length > 0)
    throw configurationError(`dispatcher: cannot define the requests of topic "${defaults.topic}"`, faults);
  return Object.freeze(definitions) as RequestDefinitions<M, R>;
}
