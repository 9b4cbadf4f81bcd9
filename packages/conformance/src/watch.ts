import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';
import { withDeadline } from '@bento-bus/core/adapter';
import { eventually, notInTime } from './eventually.ts';
import { deadlineOf, type Harness } from './scenario.ts';

/** For the waits inside a scenario to tell what they waited for, before the scenario as a whole is given up. */
const graceMs = 250;

const fewestLooks = 10;

/** The waits of one scenario, all with one end: `limitMs` after it began. */
export class Watch {
  readonly quietMs: number;
  readonly #limitMs: number;
  readonly #end: number;
  #fault: { readonly error: unknown } | undefined;

  constructor(harness: Harness, limitMs: number = deadlineOf(harness)) {
    this.quietMs = harness.quietMs ?? 200;
    this.#limitMs = limitMs;
    this.#end = performance.now() + limitMs;
  }

  /** Something ended that should go on: waits that have not been met fail with this error. */
  fault(error: unknown): void {
    this.#fault ??= { error };
  }

  /** See `eventually`. */
  async eventually(what: string, check: () => unknown): Promise<void> {
    let fault: { readonly error: unknown } | undefined;
    const checked = async (): Promise<boolean> => {
      const holds = (await check()) !== false;
      fault = holds ? undefined : this.#fault;
      return holds || fault !== undefined;
    };
    await eventually(checked, { deadlineMs: this.#left(), what });
    if (fault !== undefined) throw fault.error;
  }

  /** The outcome of `work`, which must come before the end. */
  within<T>(what: string, work: Promise<T>): Promise<T> {
    return this.#bounded(what, work, this.#left());
  }

  /** The scenario itself. */
  whole<T>(work: Promise<T>): Promise<T> {
    return this.#bounded('the scenario', work, this.#left() + graceMs);
  }

  /** `check` holds now and all through `ms`. */
  async quiet(what: string, check: () => boolean, ms: number = this.quietMs): Promise<void> {
    const until = performance.now() + ms;
    // A process that was held up must not take one late look for a quiet time.
    for (let looks = 1; looks < fewestLooks || performance.now() < until; looks += 1) {
      assert.ok(check(), `${what}: it did not stay so`);
      await setTimeout(Math.min(5, ms / fewestLooks));
    }
    assert.ok(check(), `${what}: it did not stay so`);
  }

  #bounded<T>(what: string, work: Promise<T>, ms: number): Promise<T> {
    return withDeadline(work, ms, () => {
      throw notInTime(what, this.#limitMs);
    });
  }

  #left(): number {
    return Math.max(0, this.#end - performance.now());
  }
}
