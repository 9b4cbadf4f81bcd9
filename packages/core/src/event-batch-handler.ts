import { laneKey } from './adapter/lane-key.ts';
import { allFailed, checkedOutcomes, notHandled, oneSuccess } from './adapter/outcomes.ts';
import type { MaybePromise } from './buses.ts';
import type { Codec } from './codec.ts';
import { contextOf, decodeTyped, eventOf } from './event-handler.ts';
import type { BusEvent, EventDefinition } from './events.ts';
import type { Delivery } from './message.ts';
import type { BatchItem, EventBatchHandler } from './message-bus.ts';
import type { BatchHandler, Outcome } from './transport.ts';
import { isPromise } from './validation.ts';

/** What a delivery came to: an event with its data, a failure, or nothing that anybody asked for. */
type Read = { readonly data: unknown } | { readonly error: unknown } | undefined;

export interface TypedBatchOptions {
  readonly definitions: ReadonlyMap<string, EventDefinition>;
  readonly codec: Codec;
  /** Lanes as the transport has them. */
  readonly ordering: 'key' | 'none';
  /** Gets what nobody asked for; it is acknowledged. */
  readonly ignore: (delivery: Delivery) => void;
}

/**
 * The innermost handler of a typed batch subscription. Every delivery is decoded, upcast and validated by itself; a refused one fails
 * alone. What stands behind it under its key is not handled: it would be handled again, after the refused one.
 */
export function typedBatchHandler(handler: EventBatchHandler<never>, options: TypedBatchOptions): BatchHandler {
  const { ordering, ignore } = options;
  return async (batch, signal) => {
    const reads = batch.map((delivery) => readOf(delivery, options));
    // Most codecs and schemas are synchronous.
    const settled: readonly Read[] = reads.every(isRead) ? reads : await Promise.all(reads.map(async (read) => read));
    const refused = new Set<string>();
    const outcomes: Outcome[] = [];
    const shown: { readonly delivery: Delivery; readonly index: number }[] = [];
    const items: BatchItem<BusEvent>[] = [];
    for (const [index, delivery] of batch.entries()) {
      const read = settled[index];
      const key = laneKey(delivery, ordering);
      outcomes[index] = success;
      if (refused.has(key)) outcomes[index] = notHandled;
      else if (read === undefined) ignore(delivery);
      else if ('error' in read) {
        outcomes[index] = { ok: false, error: read.error };
        refused.add(key);
      } else {
        shown.push({ delivery, index });
        items.push({ event: eventOf(delivery, read.data), context: contextOf(delivery, signal) });
      }
    }
    if (items.length === 0) return outcomes;
    for (const [at, outcome] of (await handle(handler, items, shown, signal)).entries())
      outcomes[shown[at]?.index as number] = outcome;
    return outcomes;
  };
}

const isRead = (read: MaybePromise<Read>): read is Read => !isPromise(read);

const success = oneSuccess[0] as Outcome;

function readOf({ message }: Delivery, { definitions, codec }: TypedBatchOptions): MaybePromise<Read> {
  const definition = definitions.get(message.type);
  if (definition === undefined) return undefined;
  try {
    const data = decodeTyped(definition, codec, message);
    if (!isPromise(data)) return { data };
    return data.then(
      (settled) => ({ data: settled }),
      (error: unknown) => ({ error }),
    );
  } catch (error) {
    return { error };
  }
}

async function handle(
  handler: EventBatchHandler<never>,
  items: readonly BatchItem<BusEvent>[],
  shown: readonly { readonly delivery: Delivery }[],
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  try {
    const outcomes = await handler(items as readonly BatchItem<never>[], signal);
    if (outcomes === undefined) return items.map(() => success);
    return checkedOutcomes(
      outcomes,
      shown.map(({ delivery }) => delivery),
    );
  } catch (error) {
    return allFailed(items, error);
  }
}
