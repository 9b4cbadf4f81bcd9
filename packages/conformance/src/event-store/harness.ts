import type { EventStore } from '@bento-bus/core';
import type { Harness, Needs } from '../scenario.ts';

/** An event store under test. */
export interface EventStoreHarness extends Harness {
  /** A store; its log may be new or one that the kit used before, and nobody else writes to it. The kit closes it. */
  readonly createStore: () => Promise<EventStore>;
  /** Another store on the log of this one, as another process would open it. The kit closes it too. @default none: skipped */
  readonly createSecond?: (store: EventStore) => Promise<EventStore>;
  /** Length of the longest stream. @default 2_500 */
  readonly volume?: number;
  /** For the random choices of scenarios. @default 1 */
  readonly seed?: number;
}

/** What a scenario may require of a harness. */
export type EventStoreNeed = 'second';

export const eventStoreNeeds: Needs<EventStoreHarness, EventStoreNeed> = {
  second: ({ createSecond }) => (createSecond === undefined ? 'a log has one store only' : undefined),
};
