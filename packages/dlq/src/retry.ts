import type { Delivery, DeliveryHandler, Message, Middleware, SubscriptionContext } from '@bento-bus/core';
import { isOversize } from '@bento-bus/core/adapter';
import { isPassing } from './failure.ts';
import { isOfAnother } from './headers.ts';
import {
  type DeadLetterReason,
  deadLettered,
  type Failure,
  failureOf,
  type History,
  historyOf,
  retried,
} from './history.ts';
import { deadLetterGroup, deadLetterTopic, retryTopic } from './names.ts';
import { type RetryOptions, type RetryPolicy, resolveRetryOptions } from './options.ts';
import { withRetry } from './order-of-use.ts';
import { Sequences } from './parking/sequences.ts';

/**
 * What becomes of messages whose handler fails, in three steps: tries in place, which hold the lane of the message and so keep its key in
 * order; delayed tries by the topic `<topic>-<group>-RETRY`; then a dead letter on `<topic>-<group>-DLQ`, or a place in the
 * parking (`sequence: 'key'`). A copy has the id, key, bytes and headers of the original, and headers that say what happened. The
 * original is acknowledged once the copy is stored and never before: a crash in between makes a copy twice, with the same id.
 *
 * No fault of the message is whatever fails once `signal` has aborted, and errors of these packages that say that the process stops
 * (`ABORTED`, `CLOSED`, `FENCED`) or that a broker or registry is away or refuses (`CONNECTION`, `REPLICAS`, `AUTHENTICATION`,
 * `AUTHORIZATION`): it stays unacknowledged and is tried again, so that an outage makes no dead letters. Both topics, and the subscriptions that keep what they hold, are made before the first delivery. Use it outermost, once
 * a subscription. Throws a `CONFIGURATION` error that names every fault of the options.
 */
export function retry(options: RetryOptions = {}): Middleware {
  const policy = resolveRetryOptions(options);
  return (next, subscription) => {
    const { topic, origin, group } = subscription;
    const again = retryTopic(origin, group);
    withRetry.add(subscription);
    if (topic !== origin && topic !== again) return next;
    if (topic === origin) {
      subscription.ensureTopic(again, { subscription: group });
      subscription.alsoConsume(again);
      if (policy.parking === undefined && policy.deadLetter)
        subscription.ensureTopic(deadLetterTopic(origin, group), { subscription: deadLetterGroup });
    }
    return new Steps(next, subscription, policy).handler;
  };
}

/**
 * Failures whose copy could not be stored yet, remembered so that their handler is not called again for it; and failures that do not count.
 * More are forgotten, as after a crash.
 */
const mostRemembered = 10_000;

const done = Promise.resolve();

/** The steps of one topic's deliveries. */
class Steps {
  readonly handler: DeliveryHandler;
  readonly #subscription: SubscriptionContext;
  readonly #policy: RetryPolicy;
  readonly #isRetry: boolean;
  readonly #sequences: Sequences | undefined;
  readonly #unstored = new Map<string, { readonly failure: Failure; readonly reason: DeadLetterReason }>();
  /** Tries that failed through no fault of the message, by position. */
  readonly #passed = new Map<string, number>();

  constructor(next: DeliveryHandler, subscription: SubscriptionContext, policy: RetryPolicy) {
    const { topic, origin } = subscription;
    this.#subscription = subscription;
    this.#policy = policy;
    this.#isRetry = topic !== origin;
    const { parking } = policy;
    this.#sequences = parking && new Sequences(parking, subscription, policy.delays);
    subscription.retryAfter(({ position }, failures, error) =>
      this.#unstored.has(position) || isPassing(error) ? undefined : policy.backoff(failures, error),
    );
    if (policy.deadLetter || policy.delays.length > 0 || parking !== undefined)
      subscription.onExhausted((delivery, reason) => this.#exhausted(delivery, reason));
    const handle = this.#sequences === undefined ? next : this.#sequences.around(next);
    const mine = { topic: origin, group: subscription.group };
    this.handler = (delivery, signal) => {
      // The group that it is of reads the same topic.
      if (this.#isRetry && isOfAnother(delivery.message, mine)) return done;
      if (this.#unstored.size > 0 && this.#unstored.has(delivery.position)) return this.#storeAgain(delivery);
      let handled: Promise<void>;
      try {
        handled = handle(this.#counted(delivery), signal);
      } catch (error) {
        return this.#failed(delivery, error, signal);
      }
      const failed = (error: unknown): Promise<void> => this.#failed(delivery, error, signal);
      return this.#passed.size === 0
        ? handled.catch(failed)
        : handled.then(() => void this.#passed.delete(delivery.position), failed);
    };
  }

  /** Handlers see how often they were started for the message, over all topics. */
  #counted(delivery: Delivery): Delivery {
    if (!this.#isRetry) return delivery;
    const { attempts } = historyOf(delivery, true);
    return attempts === 0 ? delivery : { ...delivery, attempt: attempts + delivery.attempt };
  }

  async #failed(delivery: Delivery, error: unknown, signal: AbortSignal): Promise<void> {
    const { position } = delivery;
    const passed = this.#passed.get(position) ?? 0;
    if (isPassing(error) || signal.aborted) {
      if (passed > 0 || this.#passed.size < mostRemembered) this.#passed.set(position, passed + 1);
      throw error;
    }
    const history = historyOf(delivery, this.#isRetry);
    const again = this.#policy.retryable(error);
    if (again && this.#hasTries(delivery, history)) throw error;
    const failure = failureOf(delivery, error, history, this.#subscription);
    if (!this.#hasLast && !this.#mayDelay(failure, again)) throw error;
    await this.#store(delivery, failure, again ? 'exhausted' : 'not-retryable');
  }

  /** The lane holds it no longer, or its process died of it so often that it is not tried again. */
  async #exhausted(delivery: Delivery, error: unknown): Promise<void> {
    const unstored = this.#unstored.get(delivery.position);
    if (unstored !== undefined) return this.#store(delivery, unstored.failure, unstored.reason);
    // Given back: the handler tries again.
    if (isPassing(error)) throw error;
    const history = historyOf(delivery, this.#isRetry);
    const again = this.#policy.retryable(error);
    // An outage took the time that its lane may be held; its own tries are not used up.
    if (again && this.#passed.has(delivery.position) && this.#hasTries(delivery, history)) throw error;
    const failure = failureOf(delivery, error, history, this.#subscription);
    if (!this.#hasLast && !this.#mayDelay(failure, again)) throw error;
    return this.#store(delivery, failure, again ? 'lane-limit' : 'not-retryable');
  }

  /** In place. A delayed retry is one more try. */
  #hasTries({ attempt, position }: Delivery, { delays }: History): boolean {
    return attempt - (this.#passed.get(position) ?? 0) < (delays > 0 ? 1 : this.#policy.attempts);
  }

  get #hasLast(): boolean {
    return this.#policy.deadLetter || this.#sequences !== undefined;
  }

  #storeAgain(delivery: Delivery): Promise<void> {
    const { failure, reason } = this.#unstored.get(delivery.position) as { failure: Failure; reason: DeadLetterReason };
    return this.#store(delivery, failure, reason);
  }

  async #store(delivery: Delivery, failure: Failure, reason: DeadLetterReason): Promise<void> {
    const { position } = delivery;
    try {
      if (this.#sequences !== undefined) await this.#sequences.park(delivery, failure, reason);
      else await this.#copy(delivery, failure, reason);
      this.#unstored.delete(position);
      this.#passed.delete(position);
    } catch (error) {
      if (this.#unstored.size < mostRemembered) this.#unstored.set(position, { failure, reason });
      throw error;
    }
  }

  #mayDelay({ delays }: Failure, retryable: boolean): boolean {
    return retryable && delays < this.#policy.delays.length;
  }

  async #copy({ message }: Delivery, failure: Failure, reason: DeadLetterReason): Promise<void> {
    const { origin, group, publisher } = this.#subscription;
    const publish = (topic: string, copy: (brief: boolean) => Message): Promise<void> =>
      publisher.publish(topic, [copy(false)]).catch((error: unknown) => {
        if (!isOversize(error)) throw error;
        return publisher.publish(topic, [copy(true)]);
      });
    if (this.#mayDelay(failure, reason !== 'not-retryable')) {
      const dueAt = this.#subscription.now() + (this.#policy.delays[failure.delays] as number);
      try {
        await publish(retryTopic(origin, group), (brief) => retried(message, failure, { group, dueAt, brief }));
        return;
      } catch (error) {
        // No copy of it can travel, so it cannot be delayed: on to the last step.
        if (!isOversize(error) || !this.#policy.deadLetter) throw error;
      }
    }
    await publish(deadLetterTopic(origin, group), (brief) => deadLettered(message, failure, { group, reason, brief }));
  }
}
