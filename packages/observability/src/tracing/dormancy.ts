import { isNothing, type Span } from './otel.ts';

/** So many messages pass unseen before the tracer is tried again. */
const nap = 256;

/**
 * Remembers for a while that the API had no SDK: asking a tracer that does nothing costs more than the rest of what is done for a message.
 * An SDK that is set up later is found after so many at most.
 */
export class Dormancy {
  #left = 0;
  #isAwake = false;

  /** True for the next messages once {@link sleep} was called. */
  pass(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  /** The tracer made a span that is nothing, under the root context: there is no SDK. */
  sleep(): void {
    this.#left = nap;
    this.#isAwake = false;
  }

  /**
   * The tracer made a span that is nothing under the active context, which may be one that suppresses tracing. `probe` makes one under the
   * root context, which nobody ends: it is asked once, and not again while there is an SDK.
   */
  doubt(probe: () => Span): void {
    if (this.#isAwake) return;
    if (isNothing(probe())) this.sleep();
    else this.#isAwake = true;
  }
}
