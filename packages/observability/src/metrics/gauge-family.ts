import { BentoError } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import type { GaugeValue } from '../gauges.ts';
import type { FamilyHead } from './metrics.ts';

type Read = () => readonly GaugeValue[] | Promise<readonly GaugeValue[]>;

/** Who scrapes waits so long for a gauge, and no longer. Milliseconds. */
const patienceMs = 2_000;

/** A gauge with all who read it for others. */
export class GaugeFamily {
  readonly type = 'gauge';
  readonly head: FamilyHead;
  readonly #readers: Reader[] = [];
  readonly #failed: (error: unknown) => void;
  readonly #patienceMs: number;

  constructor(head: FamilyHead, failed: (error: unknown) => void, ms: number = patienceMs) {
    this.head = head;
    this.#failed = failed;
    this.#patienceMs = ms;
  }

  add(read: Read): void {
    this.#readers.push(new Reader(read, this.head.name.otel, this.#failed, this.#patienceMs));
  }

  async samples(): Promise<readonly GaugeValue[]> {
    const all = await Promise.all(this.#readers.map((reader) => reader.values()));
    return all.flat();
  }
}

/** Reads once at a time, whoever asks: a backend that hangs is not asked again and again. */
class Reader {
  readonly #read: Read;
  readonly #gauge: string;
  readonly #failed: (error: unknown) => void;
  readonly #patienceMs: number;
  #last: readonly GaugeValue[] = [];
  #open: Promise<readonly GaugeValue[]> | undefined;

  constructor(read: Read, gauge: string, failed: (error: unknown) => void, ms: number) {
    this.#read = read;
    this.#gauge = gauge;
    this.#failed = failed;
    this.#patienceMs = ms;
  }

  /** Never rejects: none while reading fails, the last ones while it takes too long. */
  values(): Promise<readonly GaugeValue[]> {
    if (this.#open !== undefined) return this.#open;
    const reading = this.#reading();
    // Also a late answer ends the question.
    void reading.finally(() => {
      this.#open = undefined;
    });
    this.#open = withDeadline(reading, this.#patienceMs, () => {
      this.#failed(tooLate(this.#gauge, this.#patienceMs));
      return this.#last;
    });
    return this.#open;
  }

  async #reading(): Promise<readonly GaugeValue[]> {
    try {
      this.#last = await this.#read();
    } catch (error) {
      this.#failed(error);
      this.#last = [];
    }
    return this.#last;
  }
}

const tooLate = (gauge: string, ms: number): BentoError =>
  new BentoError(
    'TIMEOUT',
    `observability: cannot read the gauge "${gauge}": no answer in ${ms} ms. Look at what it asks, or read that on a timer.`,
    true,
  );
