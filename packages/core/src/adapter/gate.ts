import { type Deferred, deferred } from './deferred.ts';

/** Callers wait, together, until it opens. Opening without anybody waiting costs nothing. */
export class Gate {
  #waiting: Deferred<void> | undefined;

  wait(): Promise<void> {
    this.#waiting ??= deferred();
    return this.#waiting.promise;
  }

  open(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve();
  }
}
