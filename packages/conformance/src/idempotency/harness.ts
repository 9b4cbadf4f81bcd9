import type { IdempotencyStore } from '@bento-bus/core';
import type { Harness, Needs } from '../scenario.ts';

/** What a scenario wants of a store. */
export interface IdempotencyStoreWish {
  /** How long ids are remembered. Milliseconds. */
  readonly ttlMs: number;
  /** The time by which the store forgets, epoch milliseconds. It stands still until the scenario moves it. */
  readonly now: () => number;
}

/** An idempotency store under test. */
export interface IdempotencyStoreHarness extends Harness {
  /** A store, new or used by the kit before; it keeps at least 10,000 ids. The kit closes it. */
  readonly createStore: (wish: IdempotencyStoreWish) => Promise<IdempotencyStore>;
  /** Another store that knows what this one knows, as another process would open it. The kit closes it too. @default none: skipped */
  readonly createSecond?: (store: IdempotencyStore, wish: IdempotencyStoreWish) => Promise<IdempotencyStore>;
}

/** What a scenario may require of a harness. */
export type IdempotencyStoreNeed = 'second';

export const idempotencyStoreNeeds: Needs<IdempotencyStoreHarness, IdempotencyStoreNeed> = {
  second: ({ createSecond }) => (createSecond === undefined ? 'what is marked is known to one store only' : undefined),
};
