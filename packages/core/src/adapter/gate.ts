/** Callers wait, together, until it opens. Opening without anybody waiting costs nothing. */
export class Gate {
  #promise: Promise<void> | undefined;
  #open: (() => void) | undefined;

  wait(): Promise<void> {
    this.#promise ??= new Promise((resolve) => {
      this.#open = resolve;
    });
    return this.#promise;
  }

  open(): void {
    const open = this.#open;
    this.#promise = undefined;
    this.#open = undefined;
    open?.();
  }
}
