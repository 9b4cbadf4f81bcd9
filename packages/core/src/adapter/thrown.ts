import { Buffer } from 'node:buffer';
import { isBentoError, type PublishError } from '../errors.ts';

/** No fault of the message: its process stops, or an earlier message of its key failed. It comes again by itself. */
export const isInterruption = (error: unknown): boolean =>
  isBentoError(error) && (error.code === 'ABORTED' || error.code === 'CLOSED' || error.code === 'FENCED');

/** An error that says `retryable: false` will fail again (codec and validation errors do); everything else may succeed. */
export const isRetryable = (error: unknown): boolean =>
  !(typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === false);

/** What was to be published is larger than the backend takes. */
export const isOversize = (error: unknown): boolean =>
  isBentoError(error) && (error.code === 'OVERSIZE' || (error as PublishError).reason === 'OVERSIZE');

/** Text of anything that was thrown. */
export function thrownText(error: unknown): string {
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  try {
    return String(error);
  } catch {
    return 'something that has no text';
  }
}

/** A text as a header can hold it: at most so many characters, and without half surrogate pairs, which would be refused. */
export const headerText = (text: string, most: number): string =>
  wellFormed(text.length > most ? `${text.slice(0, most - 1)}…` : text);

const wellFormed = (text: string): string => Buffer.from(text).toString();
