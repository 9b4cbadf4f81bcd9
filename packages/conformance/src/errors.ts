import assert from 'node:assert/strict';
import { type BentoError, type ErrorCode, isBentoError } from '@bento-bus/core';

/** Awaits a rejection with a `BentoError` of one of these codes (none: of any) and returns it. */
export async function rejection(what: string, work: Promise<unknown>, ...codes: ErrorCode[]): Promise<BentoError> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  assert.ok(outcome !== undefined, `${what}: should have been rejected`);
  const { error } = outcome;
  assert.ok(isBentoError(error), `${what}: should have been rejected with a BentoError, not with ${String(error)}`);
  if (codes.length > 0)
    assert.ok(
      codes.includes(error.code),
      `${what}: should have had code ${codes.join(' or ')}, not ${error.code}: ${error.message}`,
    );
  return error;
}
