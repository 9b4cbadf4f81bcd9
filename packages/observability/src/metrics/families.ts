import type { GaugeValue } from '../gauges.ts';
import type { GaugeFamily } from './gauge-family.ts';
import type {
  Counter,
  CounterCell,
  FamilyHead,
  Histogram,
  HistogramCell,
  HistogramSample,
  MetricLabels,
} from './metrics.ts';

/** Gets every value that a histogram records from now on. */
export type Recorder = (value: number, labels: MetricLabels) => void;

/** Cells by the values of their labels. */
class Cells<C> {
  readonly #labels: readonly string[];
  readonly #make: (labels: MetricLabels) => C;
  readonly #byValues = new Map<string, { readonly labels: MetricLabels; readonly cell: C }>();

  constructor(labels: readonly string[], make: (labels: MetricLabels) => C) {
    this.#labels = labels;
    this.#make = make;
  }

  of(given: MetricLabels): C {
    const values = this.#labels.map((name) => given[name] ?? '');
    const key = JSON.stringify(values);
    const known = this.#byValues.get(key);
    if (known !== undefined) return known.cell;
    // A label without a value is none: so it is in Prometheus.
    const labels = Object.fromEntries(this.#labels.flatMap((name, i) => (values[i] === '' ? [] : [[name, values[i]]])));
    const made = { labels: labels as MetricLabels, cell: this.#make(labels as MetricLabels) };
    this.#byValues.set(key, made);
    return made.cell;
  }

  [Symbol.iterator](): IterableIterator<{ readonly labels: MetricLabels; readonly cell: C }> {
    return this.#byValues.values();
  }
}

export class CounterFamily implements Counter {
  readonly type = 'counter';
  readonly head: FamilyHead;
  readonly #cells: Cells<CounterCell>;

  constructor(head: FamilyHead) {
    this.head = head;
    this.#cells = new Cells(head.labels, () => ({ value: 0 }));
  }

  cell(labels: MetricLabels): CounterCell {
    return this.#cells.of(labels);
  }

  add(labels: MetricLabels, by = 1): void {
    this.#cells.of(labels).value += by;
  }

  samples(): readonly GaugeValue[] {
    return Array.from(this.#cells, ({ labels, cell: { value } }) => ({ labels, value }));
  }
}

export class HistogramFamily implements Histogram {
  readonly type = 'histogram';
  readonly head: FamilyHead;
  readonly bounds: readonly number[];
  readonly #cells: Cells<Buckets>;
  readonly #recorders = new Set<Recorder>();

  constructor(head: FamilyHead, bounds: readonly number[]) {
    this.head = head;
    this.bounds = bounds;
    this.#cells = new Cells(head.labels, (labels) => {
      const cell = new Buckets(bounds);
      for (const recorder of this.#recorders) cell.tell(recorder, labels);
      return cell;
    });
  }

  cell(labels: MetricLabels): HistogramCell {
    return this.#cells.of(labels);
  }

  record(labels: MetricLabels, value: number): void {
    this.#cells.of(labels).record(value);
  }

  tell(recorder: Recorder): void {
    this.#recorders.add(recorder);
    for (const { labels, cell } of this.#cells) cell.tell(recorder, labels);
  }

  samples(): readonly HistogramSample[] {
    return Array.from(this.#cells, ({ labels, cell }) => {
      const counts = [...cell.counts];
      const count = counts.reduce((sum, one) => sum + one, 0);
      return { labels, count, sum: cell.sum, bounds: this.bounds, counts };
    });
  }
}

/** The numbers of one histogram. */
class Buckets implements HistogramCell {
  sum = 0;
  readonly counts: Float64Array;
  readonly #bounds: readonly number[];
  #told: ((value: number) => void) | undefined = undefined;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  record(value: number, times = 1): void {
    const bounds = this.#bounds;
    // Most durations are small: from the first on is faster than by halves.
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at += 1;
    this.counts[at] = (this.counts[at] as number) + times;
    this.sum += value * times;
    if (this.#told !== undefined) for (let told = 0; told < times; told += 1) this.#told(value);
  }

  tell(recorder: Recorder, labels: MetricLabels): void {
    const before = this.#told;
    this.#told = (value) => {
      before?.(value);
      recorder(value, labels);
    };
  }
}

export type AnyFamily = CounterFamily | HistogramFamily | GaugeFamily;
