import { type Deferred, deferred } from '@bento-bus/core/adapter';
import type { Driver, DriverConsumer } from './driver.ts';
import { toBentoError } from './errors.ts';
import type { ResolvedOptions } from './options.ts';

/**
 * Who of several processes publishes a log: in the group `<log>-LEASE` the member that has the one partition of the log's checkpoint
 * topic. It keeps the partition while it lives; when it is gone, the group gives it to another. That only keeps the peace: what makes
 * a second publisher harmless is the transactional id.
 */
export class Lease {
  #held = false;
  #consumer: DriverConsumer | undefined;
  #changed: Deferred<void> = deferred();
  #failure: { readonly error: unknown } | undefined;

  /** Resolves when it is a member, with the lease or without. */
  static async join(driver: Driver, topic: string, log: string, options: ResolvedOptions): Promise<Lease> {
    const lease = new Lease();
    const { sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs } = options;
    lease.#consumer = await driver.consume(
      { group: `${log}-LEASE`, topics: [topic], sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs },
      {
        connected: async () => {},
        beforeJoin: async () => {},
        assigned: async (partitions) => {
          lease.#set(partitions.length > 0);
          // Nothing is read.
          return partitions.map((partition) => ({ ...partition, next: 0, paused: true }));
        },
        batch: async () => {},
        crashed: (error) => {
          lease.#failure = { error: toBentoError(error, `wait for log "${log}"`) };
          lease.#set(false);
        },
      },
    );
    return lease;
  }

  /** Resolves when it has the lease, or the signal has aborted. Rejects when it is no member any more. `onStandby` is told once that it waits. */
  async acquired(signal: AbortSignal, onStandby: () => void): Promise<void> {
    const ended = aborted(signal);
    for (let tell = onStandby; !this.#isOver(signal); tell = () => {}) {
      tell();
      await Promise.race([this.#changed.promise, ended]);
    }
  }

  #isOver(signal: AbortSignal): boolean {
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#held || signal.aborted;
  }

  async close(): Promise<void> {
    await this.#consumer?.close();
  }

  #set(held: boolean): void {
    this.#held = held;
    this.#changed.resolve();
    this.#changed = deferred();
  }
}

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
