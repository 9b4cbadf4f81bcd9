import type { EventContext } from '@bento-bus/core';

/** Deliveries that are remembered at most; then the oldest are forgotten, and all their handlers run again. */
const most = 10_000;

/** Which handlers of a failed delivery have succeeded, by their number. Within this process: a delivery that moves to another runs all. */
export class DoneMemory {
  readonly #done = new Map<string, ReadonlySet<number>>();

  /** Undefined for deliveries that have not failed. */
  of(context: EventContext): ReadonlySet<number> | undefined {
    return this.#done.size === 0 ? undefined : this.#done.get(identityOf(context));
  }

  keep(context: EventContext, done: ReadonlySet<number>): void {
    const identity = identityOf(context);
    this.#done.delete(identity);
    if (done.size === 0) return;
    this.#done.set(identity, done);
    if (this.#done.size <= most) return;
    for (const oldest of this.#done.keys()) {
      this.#done.delete(oldest);
      return;
    }
  }

  forget(context: EventContext): void {
    this.#done.delete(identityOf(context));
  }
}

/** With the id: a topic that is made anew counts its positions from the start. */
const identityOf = ({ topic, position, id }: EventContext): string => `${topic}\n${position}\n${id}`;
