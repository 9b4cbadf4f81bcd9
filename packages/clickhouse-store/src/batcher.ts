/** One waiting call. Settling it twice changes nothing. */
export interface Call<Input, Output> {
  readonly input: Input;
  readonly resolve: (output: Output) => void;
  readonly reject: (error: unknown) => void;
}

/** Options of a {@link Batcher}. */
export interface BatcherOptions<Input, Output> {
  /** Settles every call of the group, except those it returns: they come first in the next group. A throw rejects what is not settled. */
  readonly run: (calls: readonly Call<Input, Output>[]) => Promise<readonly Call<Input, Output>[]>;
  /** A group is closed before its weight exceeds this; one call alone may. */
  readonly maxWeight: number;
  readonly weigh: (input: Input) => number;
  /** Groups at work at once. @default 1 */
  readonly concurrency?: number;
}

/**
 * Group commit, for writes and reads alike: calls of one turn of the event loop go together, and while groups are at work later
 * calls gather for the next. The busier, the larger the groups.
 */
export class Batcher<Input, Output> {
  readonly #options: BatcherOptions<Input, Output>;
  readonly #concurrency: number;
  #waiting: Call<Input, Output>[] = [];
  #running = 0;
  #scheduled = false;
  #idle: (() => void)[] = [];

  constructor(options: BatcherOptions<Input, Output>) {
    this.#options = options;
    this.#concurrency = options.concurrency ?? 1;
  }

  call(input: Input): Promise<Output> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, resolve, reject });
      this.#schedule();
    });
  }

  /** Resolves when nothing waits and nothing is at work. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve);
    });
  }

  #isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#concurrency || this.#waiting.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#waiting.length > 0) void this.#work(this.#take());
      this.#schedule();
    });
  }

  #take(): Call<Input, Output>[] {
    let weight = 0;
    let count = 0;
    for (const { input } of this.#waiting) {
      weight += this.#options.weigh(input);
      if (count > 0 && weight > this.#options.maxWeight) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #work(calls: readonly Call<Input, Output>[]): Promise<void> {
    this.#running += 1;
    try {
      const again = await this.#options.run(calls);
      if (again.length > 0) this.#waiting = [...again, ...this.#waiting];
    } catch (error) {
      for (const call of calls) call.reject(error);
    }
    this.#running -= 1;
    this.#schedule();
    if (this.#isIdle()) for (const resolve of this.#idle.splice(0)) resolve();
  }
}
