import { isPromise } from '@bento-bus/core';
import { fail } from './error-type.ts';
import type { Span, TraceApi, TraceContext } from './otel.ts';

/** Calls in the span's context and ends the span when it returns, throws or settles. */
export function around<T>(api: TraceApi, span: Span, context: TraceContext, call: () => T): T {
  const failed = (error: unknown): never => {
    fail(span, error);
    span.end();
    throw error;
  };
  let result: T;
  try {
    result = api.context.with(context, call, undefined);
  } catch (error) {
    return failed(error);
  }
  if (!isPromise(result)) {
    span.end();
    return result;
  }
  const settled = result.then((value) => {
    span.end();
    return value;
  }, failed);
  // A promise of what was promised.
  return settled as T;
}
