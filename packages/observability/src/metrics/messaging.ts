import { isInterruption } from '@bento-bus/core/adapter';
import { attributes, metricNames, operations } from '../names.ts';
import { errorTypeOf } from '../tracing/error-type.ts';
import { Bounded } from './bounded.ts';
import type { CounterFamily, HistogramFamily } from './families.ts';
import type { CounterCell, HistogramCell, MetricLabels } from './metrics.ts';
import type { MetricsOptions } from './options.ts';
import type { MetricRegistry } from './registry.ts';

/** Cells of one topic that is published to. */
export interface SendCells {
  readonly sent: CounterCell;
  readonly duration: HistogramCell;
  /** Of what failed. */
  failed(error: unknown): { readonly sent: CounterCell; readonly duration: HistogramCell };
}

/** Cells of one topic in one subscription. */
export interface ProcessCells {
  readonly consumed: CounterCell;
  readonly redelivered: CounterCell;
  readonly exhausted: CounterCell;
  readonly inFlight: CounterCell;
  readonly duration: HistogramCell;
  readonly age: HistogramCell;
  /** The handler did. */
  failed(error: unknown, seconds: number): void;
  /** Middleware did, of its own. */
  failedOutside(error: unknown): void;
}

/** The metrics of messaging: their families, and the cells that publishes and handlings count in. */
export class MessagingMetrics {
  readonly #sent: CounterFamily;
  readonly #sendDuration: HistogramFamily;
  readonly #consumed: CounterFamily;
  readonly #processDuration: HistogramFamily;
  readonly #failures: CounterFamily;
  readonly #redeliveries: CounterFamily;
  readonly #exhausted: CounterFamily;
  readonly #age: HistogramFamily;
  readonly #inFlight = new Map<string, { readonly labels: MetricLabels; readonly cell: CounterCell }>();
  readonly #topics: Bounded;
  readonly #groups: Bounded;
  readonly #errors: Bounded;

  constructor(registry: MetricRegistry, options: Required<MetricsOptions>) {
    const { system, operationName, destination, consumerGroup, errorType } = attributes;
    const sending = [system, operationName, destination, errorType];
    const consuming = [system, destination, consumerGroup];
    const processing = [system, operationName, destination, consumerGroup, errorType];
    this.#topics = new Bounded(options.maxTopics);
    this.#groups = new Bounded(options.maxTopics);
    this.#errors = new Bounded(options.maxErrorTypes);
    const { sentMessages, operationDuration, consumedMessages, processDuration } = metricNames;
    this.#sent = registry.counter(sentMessages, 'Messages given to the broker; with error_type: not stored.', sending);
    this.#sendDuration = registry.histogram(operationDuration, 'Seconds until a publish was confirmed.', sending);
    this.#consumed = registry.counter(consumedMessages, 'Messages given to handlers.', [operationName, ...consuming]);
    this.#processDuration = registry.histogram(
      processDuration,
      'Seconds that handlers took; what computes without a pause counts for its neighbours too.',
      processing,
    );
    const { failures, redeliveries, exhausted, inFlight, age } = metricNames;
    this.#failures = registry.counter(failures, 'Handlings that failed.', [...consuming, errorType]);
    this.#redeliveries = registry.counter(redeliveries, 'Messages given to handlers a second time or more.', consuming);
    this.#exhausted = registry.counter(
      exhausted,
      'Messages that left for retry topics, dead letters or parking.',
      consuming,
    );
    this.#age = registry.histogram(age, "Seconds from a message's time to its handler.", consuming, {
      buckets: options.ageBuckets,
    });
    registry.gauge(inFlight, 'Messages in handlers now.', consuming, () =>
      Array.from(this.#inFlight.values(), ({ labels, cell: { value } }) => ({ labels, value })),
    );
  }

  sending(system: string, topic: string): SendCells {
    const base: Record<string, string> = {
      [attributes.system]: system,
      [attributes.operationName]: operations.send,
      [attributes.destination]: this.#topics.of(topic),
    };
    const cells = (labels: MetricLabels): Pick<SendCells, 'sent' | 'duration'> => ({
      sent: this.#sent.cell(labels),
      duration: this.#sendDuration.cell(labels),
    });
    return { ...cells(base), failed: (error) => cells({ ...base, [attributes.errorType]: this.#errorOf(error) }) };
  }

  processing(system: string, topic: string, group: string): ProcessCells {
    const labels: Record<string, string> = {
      [attributes.system]: system,
      [attributes.destination]: this.#topics.of(topic),
      [attributes.consumerGroup]: this.#groups.of(group),
    };
    const operation = { ...labels, [attributes.operationName]: operations.process };
    const failedOutside = (error: unknown): void => {
      // No fault of the message or its handler: it comes again by itself.
      if (!isInterruption(error)) this.#failures.add({ ...labels, [attributes.errorType]: this.#errorOf(error) });
    };
    return {
      consumed: this.#consumed.cell(operation),
      redelivered: this.#redeliveries.cell(labels),
      exhausted: this.#exhausted.cell(labels),
      inFlight: this.#inFlightOf(labels),
      duration: this.#processDuration.cell(operation),
      age: this.#age.cell(labels),
      failed: (error, seconds) => {
        this.#processDuration.record({ ...operation, [attributes.errorType]: this.#errorOf(error) }, seconds);
        failedOutside(error);
      },
      failedOutside,
    };
  }

  #inFlightOf(labels: MetricLabels): CounterCell {
    const key = JSON.stringify(labels);
    let known = this.#inFlight.get(key);
    if (known === undefined) this.#inFlight.set(key, (known = { labels, cell: { value: 0 } }));
    return known.cell;
  }

  #errorOf(error: unknown): string {
    return this.#errors.of(errorTypeOf(error));
  }
}
