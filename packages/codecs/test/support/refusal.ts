import { BentoError, CodecError } from '@bento-bus/core';

/** The error that `work` fails with, at once or later. */
export async function refusalOf(work: () => unknown): Promise<BentoError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof BentoError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** The codec's error that `work` fails with at once. */
export function refusedAtOnce(work: () => unknown): CodecError {
  try {
    work();
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** The codec's error that `work` fails with, at once or later. */
export async function codecRefusalOf(work: () => unknown): Promise<CodecError> {
  const error = await refusalOf(work);
  if (error instanceof CodecError) return error;
  throw error;
}
