import type { BatchHandler, Closeable, Delivery, Logger, Message, Subscription } from '@bento-bus/core';
import {
  type Clock,
  type CrashGuard,
  closeOnce,
  createLanes,
  guarded,
  type Lanes,
  type PreparedSubscription,
  type ResolvedSubscribeOptions,
  type Turns,
} from '@bento-bus/core/adapter';
import type { Group, Member } from './group.ts';
import type { Taken } from './taken.ts';

/** What a member is made of. */
export interface MemberOptions {
  readonly group: Group;
  readonly prepared: PreparedSubscription;
  readonly options: ResolvedSubscribeOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly turns: Turns;
}

/** One subscription: takes messages of its group into lanes, acknowledges them, gives back what it could not handle. */
export class GroupMember implements Member, Subscription {
  readonly id: string;
  readonly topics: ReadonlySet<string>;
  readonly ordering: 'key' | 'none';
  readonly closed: Promise<void>;
  readonly #closing: Closeable;
  accepting = true;
  readonly lanes: Lanes<Taken>;
  readonly #group: Group;
  #fault: { readonly error: unknown } | undefined;
  /** Message objects are the topic's own copies, so each stands for one taken message. */
  readonly #inHand = new Map<Message, Taken>();

  constructor({ group, prepared, options, clock, logger, turns }: MemberOptions) {
    this.#group = group;
    this.id = group.newMemberId();
    this.topics = new Set(prepared.topics);
    this.ordering = options.ordering;
    let end: () => void = nothing;
    this.closed = new Promise((resolve, reject) => {
      end = () => (this.#fault === undefined ? resolve() : reject(this.#fault.error));
    });
    // Nobody has to listen.
    this.closed.catch(nothing);

    const handler: BatchHandler = (batch, signal) => {
      for (const { message, attempt } of batch) {
        const taken = this.#inHand.get(message) as Taken;
        taken.started = attempt;
        if (attempt > 1) taken.cursor.retried(taken);
      }
      return prepared.handler(batch, signal);
    };
    const guardOf = ({ message }: Delivery): CrashGuard | undefined => {
      const taken = this.#inHand.get(message);
      return taken?.cursor.guardOf(taken);
    };
    const { size, waitMs, concurrency, ordering, maxHoldMs, maxLaneBacklog } = options;
    this.lanes = createLanes<Taken>({
      handler: guarded(handler, guardOf, turns),
      size,
      waitMs,
      concurrency,
      ordering,
      maxHoldMs,
      maxLaneBacklog,
      clock,
      logger,
      exhausted: prepared.exhausted,
      backoff: prepared.backoff,
      settle: (taken) => this.#settle(taken),
      onFault: (error) => this.#fail(error),
    });

    this.#closing = closeOnce(async () => {
      this.accepting = false;
      group.retire(this);
      const left = await this.lanes.drain(options.drainMs);
      // Handled, but the store had not taken it yet: in this process it must not come again.
      const unacknowledged = left.filter((taken) => this.#inHand.has(taken.entry.message));
      this.#inHand.clear();
      group.leave(this, unacknowledged);
      try {
        await prepared.close();
      } finally {
        end();
      }
    });
  }

  get inHand(): number {
    return this.#inHand.size;
  }

  taken(): Iterable<Taken> {
    return this.#inHand.values();
  }

  held(): Iterable<{ readonly delivery: Delivery; readonly token: Taken }> {
    return this.lanes.held();
  }

  close(): Promise<void> {
    return this.#closing.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  room(taken: Taken): Promise<void> | undefined {
    return this.lanes.room(taken.delivery);
  }

  push(taken: Taken): boolean {
    this.#inHand.set(taken.entry.message, taken);
    if (this.lanes.push(taken.delivery, taken, taken.condemned)) return true;
    this.#inHand.delete(taken.entry.message);
    return false;
  }

  #fail(reason: unknown): void {
    this.#fault = { error: reason };
    this.close().catch(nothing);
  }

  /** An item of a log is acknowledged once the group's progress is stored, everything else at once. */
  #settle(taken: Taken): Promise<void> | undefined {
    this.#inHand.delete(taken.entry.message);
    this.#group.release(taken);
    return taken.cursor.finish(taken);
  }
}

const nothing = (): void => {};
