import type { GaugeValue } from '../gauges.ts';
import type { Instrument } from '../instrument.ts';

/** A metric's name in OpenTelemetry and in Prometheus, as in `metricNames`. */
export interface MetricName {
  readonly otel: string;
  readonly prometheus: string;
}

export type MetricLabels = Readonly<Record<string, string>>;

/** A number that only grows. */
export interface Counter {
  /** Look-up of the cell by its labels, for what happens rarely. `by` from 0. @default by: 1 */
  add(labels: MetricLabels, by?: number): void;
  /** The cell itself, to be kept where it is counted often: `cell.value += 1`. */
  cell(labels: MetricLabels): CounterCell;
}

/** One number, of one set of labels. */
export interface CounterCell {
  value: number;
}

/** Counts values by their size. */
export interface Histogram {
  /** Look-up of the cell by its labels, for what happens rarely. */
  record(labels: MetricLabels, value: number): void;
  /** The cell itself, to be kept where much is recorded. */
  cell(labels: MetricLabels): HistogramCell;
}

/** One histogram, of one set of labels. */
export interface HistogramCell {
  /** `times`: so often the same. @default times: 1 */
  record(value: number, times?: number): void;
}

/** Options of a histogram. */
export interface HistogramOptions {
  /** Upper bounds, ascending, without infinity. @default the `durationBuckets` of {@link MetricsOptions} */
  readonly buckets?: readonly number[];
  /** In the notation of OpenTelemetry (UCUM). @default 's' */
  readonly unit?: string;
}

/** All that is known of one metric at one time. Label names as given: those of `attributes`, with dots. */
export type Family = FamilyHead &
  (
    | { readonly type: 'counter' | 'gauge'; readonly samples: readonly GaugeValue[] }
    | { readonly type: 'histogram'; readonly samples: readonly HistogramSample[] }
  );

/** What stays the same of a family. */
export interface FamilyHead {
  readonly name: MetricName;
  readonly help: string;
  readonly unit: string;
  readonly labels: readonly string[];
}

/** One histogram: `counts[i]` values were at most `bounds[i]` and above the bound before; the last of `counts` were above them all. */
export interface HistogramSample {
  readonly labels: MetricLabels;
  readonly count: number;
  readonly sum: number;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
}

/**
 * Metrics of messaging as an instrument, and of whatever else counts. Making a counter or a histogram again under its name gives the same
 * one; a gauge made again has the values of all its readers. A name in use for another type or with other labels is a `CONFIGURATION` error.
 */
export interface Metrics extends Required<Pick<Instrument, 'publishing' | 'subscribing'>> {
  counter(name: MetricName, help: string, labels: readonly string[]): Counter;
  histogram(name: MetricName, help: string, labels: readonly string[], options?: HistogramOptions): Histogram;
  /**
   * `read` is called at each collection, never a second time while it is under way. While it fails the gauge has no values; once it takes
   * more than 2 s, the last ones. The first fault is logged. What asks a server is better read on a timer, and here from memory.
   */
  gauge(
    name: MetricName,
    help: string,
    labels: readonly string[],
    read: () => readonly GaugeValue[] | Promise<readonly GaugeValue[]>,
  ): void;
  /** Everything, as it stands now. Never rejects. */
  families(): Promise<readonly Family[]>;
}
