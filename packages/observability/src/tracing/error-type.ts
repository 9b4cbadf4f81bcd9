import { thrownText } from '@bento-bus/core/adapter';
import { attributes } from '../names.ts';
import { type Span, statusError } from './otel.ts';

/** Value of `error.type`: the error's code (`PUBLISH`, `ECONNRESET`), else the name of its class. Few values, as the conventions ask. */
export function errorTypeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '_OTHER';
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  return typeof name === 'string' && name !== '' ? name : '_OTHER';
}

/** The span failed with this error. */
export function fail(span: Span, error: unknown): void {
  if (!span.isRecording()) return;
  span.setAttribute(attributes.errorType, errorTypeOf(error));
  span.recordException(error instanceof Error ? error : thrownText(error));
  span.setStatus({ code: statusError, message: thrownText(error) });
}
