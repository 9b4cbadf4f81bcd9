import {
  BentoError,
  configurationError,
  type Delivery,
  type DeliveryHandler,
  type IdempotencyStore,
  isBentoError,
  type Message,
  type Middleware,
  type SubscriptionContext,
} from '@bento-bus/core';
import { withRetry } from '../order-of-use.ts';
import { keyOf } from './key.ts';

/** Options of {@link idempotent}. */
export interface IdempotentOptions {
  /** Where the ids of handled messages are kept. The middleware does not close it. */
  readonly store: IdempotencyStore;
  /**
   * Within which an id is handled once: a name, or a function of the subscription. Topics play no part, since a copy comes by the retry
   * topic too. @default the group
   */
  readonly scope?: string | ((subscription: Pick<SubscriptionContext, 'group' | 'origin'>) => string);
  /**
   * What two copies have in common, and no two messages. @default source and id, which CloudEvents 1.0 says are unique together
   */
  readonly id?: (message: Message) => string;
}

/**
 * Handles a message once per scope, however often it is delivered: by a redelivery, a retry, a redrive, or published twice. Asks the
 * store before the handler and marks the id once the handler has succeeded, before the acknowledgement; what failed is not marked. Of two
 * copies at work in this process the second waits for the first: it is dropped if that succeeds, handled if not. Put it inside of `retry`,
 * which acknowledges what failed and would be taken for a success.
 *
 * Handled twice all the same: copies at work in two processes at once; a message whose process died between handler and mark; what the
 * store has forgotten.
 *
 * While the store is away deliveries fail with `ABORTED`, no fault of theirs: they hold their lanes and come again, and a message that
 * was handled is only marked then. Throws a `CONFIGURATION` error that names every fault of the options.
 */
export function idempotent(options: IdempotentOptions): Middleware {
  check(options);
  const { store, scope, id = sourceAndId } = options;
  const copies = copiesOf(store);
  return (next, subscription) => {
    if (withRetry.has(subscription))
      throw configurationError(`dlq: cannot subscribe group "${subscription.group}"`, [
        'idempotent stands around retry, which acknowledges what failed, so that its next tries would be dropped; use: [retry(…), idempotent(…)]',
      ]);
    const name = typeof scope === 'function' ? scope(subscription) : (scope ?? subscription.group);
    return async (delivery, signal) => copies.once({ scope: name, id: id(delivery.message), delivery, signal }, next);
  };
}

/** Handled messages that could not be marked yet. A crash would forget them too. */
const mostUnmarked = 10_000;

interface Turn {
  readonly scope: string;
  readonly id: string;
  readonly delivery: Delivery;
  readonly signal: AbortSignal;
}

/** All copies at work in this process over one store. */
class Copies {
  readonly #store: IdempotencyStore;
  /** Those at work; resolves with whether it was handled, and never rejects. */
  readonly #atWork = new Map<string, Promise<boolean>>();
  readonly #unmarked = new Set<string>();

  constructor(store: IdempotencyStore) {
    this.#store = store;
  }

  async once(turn: Turn, next: DeliveryHandler): Promise<void> {
    const key = keyOf(turn.scope, turn.id);
    for (let first = this.#atWork.get(key); first !== undefined; first = this.#atWork.get(key)) {
      if (await first) return;
      if (turn.signal.aborted) throw stopped(turn);
    }
    const work = this.#handle(key, turn, next);
    const outcome = work.then(yes, no);
    this.#atWork.set(key, outcome);
    try {
      await work;
    } finally {
      this.#atWork.delete(key);
    }
  }

  async #handle(key: string, turn: Turn, next: DeliveryHandler): Promise<void> {
    const { scope, id, delivery, signal } = turn;
    if (!this.#unmarked.has(key)) {
      const handled = await this.#ask(turn, 'tell whether it was handled', this.#store.handled(scope, [id]));
      if (handled.has(id)) return;
      await next(delivery, signal);
      if (this.#unmarked.size < mostUnmarked) this.#unmarked.add(key);
    }
    await this.#ask(turn, 'mark it as handled', this.#store.mark(scope, [id]));
    this.#unmarked.delete(key);
  }

  async #ask<T>({ delivery: { topic, message } }: Turn, doing: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (cause) {
      // An id that no store can hold will not get better.
      if (isBentoError(cause, 'VALIDATION')) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new BentoError(
        'ABORTED',
        `dlq: cannot ${doing} (message "${message.id}" of "${topic}"): ${reason} The message stays unacknowledged and comes again. See to the idempotency store.`,
        true,
        { cause },
      );
    }
  }
}

const yes = (): boolean => true;
const no = (): boolean => false;

const stopped = ({ delivery: { topic, message } }: Turn): BentoError =>
  new BentoError(
    'ABORTED',
    `dlq: cannot handle message "${message.id}" of "${topic}": the subscription closes. It comes again.`,
    true,
  );

/** One for each store, so that copies in several subscriptions of the process know of each other. */
const byStore = new WeakMap<IdempotencyStore, Copies>();

function copiesOf(store: IdempotencyStore): Copies {
  const known = byStore.get(store);
  if (known !== undefined) return known;
  const made = new Copies(store);
  byStore.set(store, made);
  return made;
}

/** A line break is in no URI and so in no source. */
const sourceAndId = ({ source, id }: Message): string => `${source}\n${id}`;

function check({ store, scope, id }: { readonly [K in keyof IdempotentOptions]: unknown }): void {
  const faults: string[] = [];
  const { handled, mark } = (store ?? {}) as Record<string, unknown>;
  if (typeof handled !== 'function' || typeof mark !== 'function')
    faults.push('store must be an IdempotencyStore, as createMemoryIdempotencyStore makes them');
  if (scope !== undefined && typeof scope !== 'function' && (typeof scope !== 'string' || scope === ''))
    faults.push('scope must be a name, or a function of the subscription');
  if (id !== undefined && typeof id !== 'function') faults.push('id must be a function of the message');
  if (faults.length > 0) throw configurationError('dlq: cannot create the idempotency middleware', faults);
}
