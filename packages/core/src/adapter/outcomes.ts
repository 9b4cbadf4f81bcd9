import { BentoError } from '../errors.ts';
import type { Delivery } from '../message.ts';
import type { Outcome } from '../transport.ts';

/** The outcomes of one delivery that succeeded. Shared: nobody writes to it. */
export const oneSuccess: readonly Outcome[] = [{ ok: true }];

/**
 * Why a delivery did not get its turn: an earlier one of its key did not succeed in the same batch. It is no fault of the message;
 * a middleware that acts on failures lets errors of code `ABORTED` pass.
 */
export const notHandledError: BentoError = new BentoError(
  'ABORTED',
  'core: cannot handle the message: an earlier message of its key failed in the same batch. It will be delivered again.',
  true,
);

/** Answers for a delivery that did not get its turn; lanes put it back without holding it, its attempt unchanged. */
export const notHandled: Outcome = { ok: false, error: notHandledError };

/** The outcomes that a batch handler gave, checked: exactly one a delivery, else all failed. */
export function checkedOutcomes(given: unknown, batch: readonly Delivery[]): readonly Outcome[] {
  if (Array.isArray(given) && given.length === batch.length) {
    if (given.every((outcome) => typeof outcome === 'object' && outcome !== null && 'ok' in outcome)) return given;
    return allFailed(batch, badOutcomes('one of them is not of the form { ok: true } or { ok: false, error }'));
  }
  const found = Array.isArray(given) ? `${given.length} outcomes` : 'no array of outcomes';
  return allFailed(batch, badOutcomes(`${found} for ${batch.length} deliveries`));
}

/** The same failure for each delivery. */
export function allFailed(batch: readonly unknown[], error: unknown): readonly Outcome[] {
  const failed: Outcome = { ok: false, error };
  return batch.map(() => failed);
}

const badOutcomes = (cause: string): BentoError =>
  new BentoError(
    'HANDLER',
    `core: cannot use what the batch handler returned: ${cause}. Return exactly one outcome a delivery, in order.`,
  );
