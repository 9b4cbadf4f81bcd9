import type { Delivery } from '../message.ts';
import type { BatchHandler, Outcome } from '../transport.ts';
import { type CrashGuard, company } from './crash-guard.ts';
import { allFailed, checkedOutcomes, notHandled } from './outcomes.ts';
import { Turns } from './turns.ts';

/** Of all subscriptions of the process: a killer takes down whatever is at work, and only what was at work alone is found guilty. */
const turnsOfProcess = new Turns();

/** Suspects of a batch that are handled together at first. */
const fewest = 32;

/**
 * The lanes' handler, with an eye on messages that kill the process: where a source records, what is started is stored as such before,
 * and suspects have their turn without anything else that is recorded; see {@link CrashGuard}. All others go to `handler` as they come.
 * `turns`: of all that can die together, which is the process unless a test says otherwise.
 */
export function guarded(
  handler: BatchHandler,
  guardOf: (delivery: Delivery) => CrashGuard | undefined,
  turns: Turns = turnsOfProcess,
): BatchHandler {
  const isRecording = (delivery: Delivery): boolean => guardOf(delivery)?.recording === true;
  const levelOf = (delivery: Delivery): number => guardOf(delivery)?.level(delivery.position) ?? 0;

  const sourcesOf = (deliveries: readonly Delivery[]): ReadonlyMap<CrashGuard, readonly Delivery[]> => {
    const bySource = new Map<CrashGuard, Delivery[]>();
    for (const delivery of deliveries) {
      const guard = guardOf(delivery);
      if (guard?.recording !== true) continue;
      const own = bySource.get(guard);
      if (own === undefined) bySource.set(guard, [delivery]);
      else own.push(delivery);
    }
    return bySource;
  };

  const part = (deliveries: readonly Delivery[], level: number, signal: AbortSignal): Promise<readonly Outcome[]> =>
    turns.run(level > 0, async (inTurn) => {
      const alone = deliveries.length === 1 ? company.none : company.few;
      const bySource = sourcesOf(deliveries);
      try {
        for (const [guard, own] of bySource)
          await guard.begin(attemptsOf(own), level > 0 && inTurn ? alone : company.any);
        return checkedOutcomes(await handler(deliveries, signal), deliveries);
      } catch (error) {
        return allFailed(deliveries, error);
      } finally {
        for (const [guard, own] of bySource) guard.ended(positionsOf(own));
        // Else the next one, should it kill, would take it for at work too: sources are stored each by itself.
        if (level > 0) await Promise.all(Array.from(bySource, ([guard, own]) => guard.endStored(positionsOf(own))));
      }
    });

  const recorded = async (batch: readonly Delivery[], signal: AbortSignal): Promise<readonly Outcome[]> => {
    const outcomes: Outcome[] = [];
    const failed = new Set<string>();
    for (let from = 0; from < batch.length; ) {
      const level = levelOf(batch[from] as Delivery);
      const most = level === 0 ? batch.length : level === company.any ? fewest : 1;
      let to = from + 1;
      while (to < batch.length && to - from < most && levelOf(batch[to] as Delivery) === level) to += 1;
      const own = batch.slice(from, to);
      // Behind one that failed, those of its key do not get their turn.
      const turned = own.filter((delivery) => !failed.has(keyOf(delivery)));
      const given = turned.length === 0 || signal.aborted ? [] : await part(turned, level, signal);
      let next = 0;
      for (const delivery of own) {
        const outcome = (turned[next] === delivery ? given[next++] : undefined) ?? notHandled;
        if (!outcome.ok) failed.add(keyOf(delivery));
        outcomes.push(outcome);
      }
      from = to;
    }
    return outcomes;
  };

  return (batch, signal) => {
    const recording = batch.length === 1 ? isRecording(batch[0] as Delivery) : batch.some(isRecording);
    return recording ? recorded(batch, signal) : handler(batch, signal);
  };
}

const keyOf = ({ message }: Delivery): string => message.key ?? message.id;

const positionsOf = (deliveries: readonly Delivery[]): readonly string[] => deliveries.map(({ position }) => position);

const attemptsOf = (deliveries: readonly Delivery[]) =>
  deliveries.map(({ position, attempt }) => ({ position, attempt }));
