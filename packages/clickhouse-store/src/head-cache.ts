import type { StreamId } from '@bento-bus/core';

/** One string a stream; the length keeps `a` + `bc` apart from `ab` + `c`. */
export const streamKey = ({ type, id }: StreamId): string => `${type.length}:${type}${id}`;

/**
 * Heads of the streams touched last, bounded. Heads only grow, so of two reports the higher one counts.
 * A head read by a query may be older than the tail by the time it arrives. {@link admit} takes it only if whatever the tail has
 * reported since the query began is still in the cache: an entry is evicted after `capacity` further reports and not before.
 */
export class HeadCache {
  readonly #heads = new Map<string, number>();
  readonly #capacity: number;
  #reports = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get(key: string): number | undefined {
    return this.#heads.get(key);
  }

  /** Take before a query; pass to {@link admit} with its answer. */
  mark(): number {
    return this.#reports;
  }

  /** A head that is exact as of the tail or later. */
  report(key: string, head: number): void {
    const known = this.#heads.get(key) ?? 0;
    this.#heads.delete(key);
    this.#heads.set(key, Math.max(known, head));
    this.#reports += 1;
    if (this.#heads.size > this.#capacity) {
      const oldest = this.#heads.keys().next();
      if (oldest.done !== true) this.#heads.delete(oldest.value);
    }
  }

  /** A head that was exact at some time after `mark`. */
  admit(key: string, head: number, mark: number): void {
    if (this.#reports - mark < this.#capacity) this.report(key, head);
  }

  /** Forgets all, also what queries under way will answer. */
  clear(): void {
    this.#heads.clear();
    this.#reports += this.#capacity;
  }
}
