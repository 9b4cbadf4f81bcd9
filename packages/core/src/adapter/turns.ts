import { type Clock, systemClock } from './clock.ts';

/** Longest wait for a turn: handlers may wait for each other. Milliseconds. */
const patienceMs = 5_000;

/** Turns at work: shared ones together, an exclusive one alone; first come, first served. */
export class Turns {
  readonly #clock: Clock;
  readonly #waiting: { readonly exclusive: boolean; go: () => void }[] = [];
  #shared = 0;
  #exclusive = false;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Runs `work` in its turn. `inTurn` is false where the turn did not come in 5 s: then it runs beside what is at work. */
  async run<T>(exclusive: boolean, work: (inTurn: boolean) => Promise<T>): Promise<T> {
    const inTurn = await this.#enter(exclusive);
    try {
      return await work(inTurn);
    } finally {
      if (inTurn) this.#leave(exclusive);
    }
  }

  #enter(exclusive: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const cancel = this.#clock.schedule(() => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        resolve(false);
        this.#next();
      }, patienceMs);
      const entry = {
        exclusive,
        go: () => {
          cancel();
          resolve(true);
        },
      };
      this.#waiting.push(entry);
      this.#next();
    });
  }

  #leave(exclusive: boolean): void {
    if (exclusive) this.#exclusive = false;
    else this.#shared -= 1;
    this.#next();
  }

  #next(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      if (this.#exclusive || (first.exclusive && this.#shared > 0)) return;
      this.#waiting.shift();
      if (first.exclusive) this.#exclusive = true;
      else this.#shared += 1;
      first.go();
    }
  }
}
