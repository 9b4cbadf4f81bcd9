import { type Delivery, headerNames } from '@bento-bus/core';
import type { Reader } from './reader.ts';
import type { HarnessRecord } from './records.ts';

/** A message that is not acknowledged yet. */
export interface Pending {
  readonly record: HarnessRecord;
  readonly group: string;
  readonly attempts: number;
  readonly error: unknown;
  /** Not delivered before: epoch milliseconds. */
  readonly due: number | undefined;
}

/** A delivery that has begun and is not acknowledged. */
export interface InHand {
  readonly reader: Reader;
  readonly delivery: Delivery;
  working: boolean;
  /** The failure of this try, once known. */
  failure: HarnessRecord | undefined;
  /** That of the try before. */
  error: unknown;
  attempts: number;
}

export const handOf = (reader: Reader, delivery: Delivery, error?: unknown): InHand => ({
  reader,
  delivery,
  working: true,
  failure: undefined,
  error,
  attempts: delivery.attempt,
});

export function pendingOf(record: HarnessRecord, { group }: Reader, hand: InHand | undefined): Pending {
  const due = record.message.headers[headerNames.deliverAt];
  return {
    record,
    group,
    attempts: hand?.attempts ?? 0,
    error: hand?.error,
    due: hand !== undefined || due === undefined ? undefined : Number(due),
  };
}
