import type { Delivery, DeliveryHandler, Message } from '@bento-bus/core';
import { assertOrderPerKey, type Call } from './calls.ts';

/** One call of a recorded handler. */
export interface RecordedCall extends Call {
  readonly delivery: Delivery;
  /** On the clock of `performance.now`. */
  endAt: number;
}

/** What a recorded handler does; a throw or rejection is the handler's. */
export type Act = (delivery: Delivery, signal: AbortSignal) => unknown;

/** Records what handlers get and when they are done, whatever subscription they belong to. */
export class Recorder {
  readonly calls: RecordedCall[] = [];
  /** Ids of what has been handled. */
  readonly handledOnce: Set<string> = new Set();
  running = 0;
  /** Most handlers at work at once. */
  peak = 0;
  #moment = 0;

  handler(act: Act = () => {}, by = ''): DeliveryHandler {
    return async (delivery, signal) => {
      const call: RecordedCall = {
        delivery,
        id: delivery.message.id,
        attempt: delivery.attempt,
        by,
        start: this.#moment++,
        end: undefined,
        endAt: Number.POSITIVE_INFINITY,
        failed: false,
      };
      this.calls.push(call);
      this.running += 1;
      this.peak = Math.max(this.peak, this.running);
      try {
        await act(delivery, signal);
        this.handledOnce.add(call.id);
      } catch (error) {
        call.failed = true;
        throw error;
      } finally {
        this.running -= 1;
        call.end = this.#moment++;
        call.endAt = performance.now();
      }
    };
  }

  /** Calls that have succeeded, in the order of their end. */
  get handled(): readonly RecordedCall[] {
    return this.calls
      .filter((call) => call.end !== undefined && !call.failed)
      .toSorted((a, b) => (a.end as number) - (b.end as number));
  }

  /** Ids of what was handled, in the order of its end. */
  get ids(): readonly string[] {
    return this.handled.map(({ id }) => id);
  }

  /** All calls for one message. */
  of({ id }: Pick<Message, 'id'>): readonly RecordedCall[] {
    return this.calls.filter((call) => call.id === id);
  }

  has({ id }: Pick<Message, 'id'>): boolean {
    return this.handledOnce.has(id);
  }

  /** All of them have been handled at least once. */
  hasAll(messages: readonly Pick<Message, 'id'>[]): boolean {
    return this.handledOnce.size >= messages.length && messages.every(({ id }) => this.handledOnce.has(id));
  }

  /** Messages of one key were handled in the order given, each after the one before it had ended. */
  assertOrderPerKey(messages: readonly Message[]): void {
    assertOrderPerKey(this.calls, messages);
  }
}
