import type { Position } from '@bento-bus/core';
import { fault } from './errors.ts';

/** Place of an event in the log: the group commit and the place in it. */
export interface Place {
  readonly batch: number;
  readonly idx: number;
}

/** Before the first event. */
const beginning: Place = { batch: 0, idx: 0 };

const shape = /^(\d{16})-(\d{8})$/;

/** Fixed width, so that string order is log order: `0000000000000042-00000007`. */
export const toPosition = ({ batch, idx }: Place): Position =>
  `${String(batch).padStart(16, '0')}-${String(idx).padStart(8, '0')}`;

/** The place that a position names; `''` is before the first event. Throws `CONFIGURATION` for what is no position of this store. */
export function fromPosition(position: Position): Place {
  if (position === '') return beginning;
  const [, batch, idx] = shape.exec(position) ?? [];
  if (batch === undefined || idx === undefined || Number(batch) > Number.MAX_SAFE_INTEGER)
    throw fault(
      'CONFIGURATION',
      `read the log after "${position}"`,
      'it is no position of this store',
      "Pass one that the store gave, or '' for the beginning.",
    );
  return { batch: Number(batch), idx: Number(idx) };
}
