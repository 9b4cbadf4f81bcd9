import type { Delivery } from '../message.ts';
import type { BatchHandler, Outcome } from '../transport.ts';
import type { CrashGuard } from './crash-guard.ts';
import { checkedOutcomes, notHandled } from './outcomes.ts';

/**
 * The lanes' handler, with an eye on messages that kill the process: those of a suspect source are handled one at a time, stored as
 * started before; all others by `handler` as they come.
 */
export function guarded(handler: BatchHandler, guardOf: (delivery: Delivery) => CrashGuard | undefined): BatchHandler {
  const isSuspect = (delivery: Delivery): boolean => guardOf(delivery)?.suspect === true;
  const single = async (delivery: Delivery, signal: AbortSignal): Promise<Outcome> => {
    const work = async (): Promise<Outcome> =>
      checkedOutcomes(await handler([delivery], signal), [delivery])[0] as Outcome;
    try {
      const guard = guardOf(delivery);
      return guard?.suspect === true ? await guard.alone(delivery.position, delivery.attempt, work) : await work();
    } catch (error) {
      return { ok: false, error };
    }
  };
  return (batch, signal) => {
    const first = batch[0] as Delivery;
    if (batch.length === 1 ? !isSuspect(first) : !batch.some(isSuspect)) return handler(batch, signal);
    return oneByOne(batch, (delivery) => (signal.aborted ? Promise.resolve(notHandled) : single(delivery, signal)));
  };
}

/** One after the other; behind one that failed, those of its key do not get their turn. */
async function oneByOne(
  batch: readonly Delivery[],
  handle: (delivery: Delivery) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const failed = new Set<string>();
  for (const delivery of batch) {
    const key = delivery.message.key ?? delivery.message.id;
    const outcome = failed.has(key) ? notHandled : await handle(delivery);
    if (!outcome.ok) failed.add(key);
    outcomes.push(outcome);
  }
  return outcomes;
}
