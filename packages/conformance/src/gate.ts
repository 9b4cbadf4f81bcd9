/** Holds handlers until the scenario lets them go. */
export class Gate {
  readonly opened: Promise<void>;
  isOpen = false;
  #resolve: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  open(): void {
    this.isOpen = true;
    this.#resolve();
  }
}
