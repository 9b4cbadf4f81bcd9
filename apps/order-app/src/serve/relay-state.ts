import type { EventStore } from '@bento-bus/core';
import { thrownText } from '@bento-bus/core/adapter';
import type { Relay } from '@bento-bus/eventsourcing';

/** Whether the relay runs, and how far it is behind. */
export interface RelayState {
  /** Rejects when it has stopped by itself. */
  check(): Promise<string>;
  /** Age of the oldest event that is not published yet; 0: all are. Seconds. */
  behind(): Promise<number>;
}

export function watchRelay(relay: Relay, store: EventStore): RelayState {
  let stopped: string | undefined;
  relay.closed.catch((error: unknown) => {
    stopped = thrownText(error);
  });
  return {
    check: async () => {
      if (stopped !== undefined) throw new Error(`the relay has stopped: ${stopped}`);
      return `published up to ${relay.position || 'the beginning'}`;
    },
    behind: async () => {
      for await (const { time } of store.readAll(relay.position, { limit: 1 }))
        return Math.max(0, (Date.now() - time) / 1_000);
      return 0;
    },
  };
}
