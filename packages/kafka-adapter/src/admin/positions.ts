import { configurationError, type ResetPosition } from '@bento-bus/core';
import type { TopicPlace } from './connection.ts';
import type { AdminContext } from './context.ts';

/** What to commit for a partition. */
export interface NewOffset {
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string;
}

/** Bare offsets: what was acknowledged beyond, and attempts, are forgotten with what is not written again. */
export async function offsetsAt(
  { connection }: AdminContext,
  what: string,
  place: TopicPlace,
  to: ResetPosition,
): Promise<readonly NewOffset[]> {
  const end = await connection.offsets(place, 'latest');
  const bare = (offsets: readonly number[]): NewOffset[] =>
    offsets.map((offset, partition) => ({
      partition,
      // -1: nothing is as late as that.
      offset: offset < 0 ? (end[partition] ?? 0) : offset,
      metadata: '',
    }));
  if (to === 'latest') return bare(end);
  if (to === 'earliest' || 'time' in to) return bare(await connection.offsets(place, to));
  const [partition, offset] = placed(to) as readonly [number, number];
  const [last, first] = [end[partition] ?? -1, (await connection.offsets(place, 'earliest'))[partition] ?? 0];
  if (offset > last || (to.partition ?? partition) !== partition)
    throw configurationError(`kafka-adapter: cannot ${what}`, [
      `position must be one of the topic's and of the partition, not ${JSON.stringify(to)}`,
    ]);
  return [{ partition, offset: Math.max(first, offset), metadata: '' }];
}

/** The partition and the offset in a position. */
export function placed({ position }: { readonly position: string }): readonly [number, number] | undefined {
  const match = /^(\d{1,9})@(\d{1,15})$/.exec(position);
  return match === null ? undefined : [Number(match[1]), Number(match[2])];
}
