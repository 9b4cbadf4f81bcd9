import { once, setMaxListeners } from 'node:events';

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

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  // As many handlers as there are may wait for one signal.
  setMaxListeners(0, signal);
  if (!signal.aborted) await once(signal, 'abort');
}
