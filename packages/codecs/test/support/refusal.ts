import { BentoError } from '@bento-bus/core';

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
