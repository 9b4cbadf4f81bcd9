import assert from 'node:assert/strict';
import type { Delivery, DeliveryHandler, Message } from '@bento-bus/core';

/** One call of a handler. */
export interface Call {
  readonly delivery: Delivery;
  readonly id: string;
  /** Which of several handlers. */
  readonly by: string;
  /** Moments on one counter for all calls; `end` is undefined while the handler is at work. */
  readonly start: number;
  end: number | undefined;
  failed: boolean;
}

/** What a recorded handler does; a throw or rejection is the handler's. */
export type Act = (delivery: Delivery, signal: AbortSignal) => unknown;

/** Records what handlers get and when they are done, whatever subscription they belong to. */
export class Recorder {
  readonly calls: Call[] = [];
  running = 0;
  /** Most handlers at work at once. */
  peak = 0;
  #moment = 0;

  handler(act: Act = () => {}, by = ''): DeliveryHandler {
    return async (delivery, signal) => {
      const call: Call = {
        delivery,
        id: delivery.message.id,
        by,
        start: this.#moment++,
        end: undefined,
        failed: false,
      };
      this.calls.push(call);
      this.running += 1;
      this.peak = Math.max(this.peak, this.running);
      try {
        await act(delivery, signal);
      } catch (error) {
        call.failed = true;
        throw error;
      } finally {
        this.running -= 1;
        call.end = this.#moment++;
      }
    };
  }

  /** Calls that have succeeded, in the order of their end. */
  get handled(): readonly Call[] {
    return this.calls
      .filter((call) => call.end !== undefined && !call.failed)
      .toSorted((a, b) => (a.end as number) - (b.end as number));
  }

  /** Ids of what was handled, in the order of its end. */
  get ids(): readonly string[] {
    return this.handled.map(({ id }) => id);
  }

  /** All calls for one message. */
  of({ id }: Pick<Message, 'id'>): readonly Call[] {
    return this.calls.filter((call) => call.id === id);
  }

  has(message: Pick<Message, 'id'>): boolean {
    return this.of(message).some((call) => call.end !== undefined && !call.failed);
  }

  /** All of them have been handled at least once. */
  hasAll(messages: readonly Pick<Message, 'id'>[]): boolean {
    if (this.calls.length < messages.length) return false;
    const ids = new Set(this.ids);
    return messages.every(({ id }) => ids.has(id));
  }

  /** Messages of one key were handled in the order given, each after the one before it had ended. */
  assertOrderPerKey(messages: readonly Message[]): void {
    const keys = new Map(messages.map(({ id, key }) => [id, key ?? id]));
    const orders = new Map<string, string[]>();
    for (const { id, key = id } of messages) orders.set(key, [...(orders.get(key) ?? []), id]);
    const found = new Map<string, string[]>();
    const last = new Map<string, Call>();
    for (const call of this.calls) {
      const key = keys.get(call.id);
      if (key === undefined) continue;
      const before = last.get(key);
      assert.ok(
        before === undefined || (before.end !== undefined && before.end < call.start),
        `two handlers were at work on key ${key} at once`,
      );
      last.set(key, call);
      if (!call.failed && call.end !== undefined) found.set(key, [...(found.get(key) ?? []), call.id]);
    }
    for (const [key, ids] of orders) assert.deepEqual(found.get(key) ?? [], ids, `order of key ${key}`);
  }
}
