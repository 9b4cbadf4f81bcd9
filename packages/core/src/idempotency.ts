import type { Closeable } from './message.ts';

/**
 * Remembers what has been handled, so that a copy is not handled again. `scope` keeps apart who handles: each group has its own. Ids are
 * well-formed strings of any length and content. How long and how many it remembers is the store's matter.
 */
export interface IdempotencyStore extends Closeable {
  /** Those of `ids` that are marked in `scope`, by this or another process, and not forgotten. */
  handled(scope: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Resolves: every later `handled` knows them. Marking again is no fault; the time for which they are remembered begins anew. */
  mark(scope: string, ids: readonly string[]): Promise<void>;
}
