/** Lets many pass together, or one alone. */
export class Gate {
  readonly #inside = new Set<Promise<unknown>>();
  #alone: Promise<unknown> | undefined;

  async together<T>(work: () => Promise<T>): Promise<T> {
    while (this.#alone) await this.#alone;
    const running = work();
    // Settled either way: who waits for it does not care how it ended.
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    this.#inside.add(settled);
    try {
      return await running;
    } finally {
      this.#inside.delete(settled);
    }
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.#alone) await this.#alone;
    const running = Promise.all(this.#inside).then(work);
    this.#alone = running.then(
      () => undefined,
      () => undefined,
    );
    try {
      return await running;
    } finally {
      this.#alone = undefined;
    }
  }
}
