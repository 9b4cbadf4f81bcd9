import { configurationError, type Logger, silentLogger } from '@bento-bus/core';
import { type AnyFamily, CounterFamily, HistogramFamily } from './families.ts';
import { GaugeFamily } from './gauge-family.ts';
import type { Family, FamilyHead, HistogramOptions, MetricName } from './metrics.ts';

/** Families by name, and who wants to know of further ones. */
export class MetricRegistry {
  readonly #families = new Map<string, AnyFamily>();
  readonly #followers = new Set<(family: AnyFamily) => void>();
  readonly #logger: Logger;
  readonly #buckets: readonly number[];

  constructor(buckets: readonly number[], logger: Logger = silentLogger) {
    this.#buckets = buckets;
    this.#logger = logger;
  }

  counter(name: MetricName, help: string, labels: readonly string[]): CounterFamily {
    const head: FamilyHead = { name, help, unit: '', labels };
    return this.#known(head, 'counter', () => new CounterFamily(head));
  }

  histogram(
    name: MetricName,
    help: string,
    labels: readonly string[],
    { buckets = this.#buckets, unit = 's' }: HistogramOptions = {},
  ): HistogramFamily {
    const head: FamilyHead = { name, help, unit, labels };
    return this.#known(head, 'histogram', () => {
      const faults = faultsOfBuckets('buckets', buckets);
      if (faults.length > 0) throw configurationError(`observability: cannot make "${name.otel}"`, faults);
      return new HistogramFamily(head, [...buckets]);
    });
  }

  gauge(name: MetricName, help: string, labels: readonly string[], read: Parameters<GaugeFamily['add']>[0]): void {
    const head: FamilyHead = { name, help, unit: '', labels };
    let told = false;
    const failed = (error: unknown): void => {
      if (told) return;
      told = true;
      this.#logger.error('observability: a gauge could not be read; it has no values while that is so, or old ones', {
        gauge: name.otel,
        error,
      });
    };
    this.#known(head, 'gauge', () => new GaugeFamily(head, failed)).add(read);
  }

  /** Calls `follower` with every family there is and every further one; returns what ends that. */
  follow(follower: (family: AnyFamily) => void): () => void {
    for (const family of this.#families.values()) follower(family);
    this.#followers.add(follower);
    return () => void this.#followers.delete(follower);
  }

  families(): Promise<readonly Family[]> {
    return Promise.all(Array.from(this.#families.values(), readFamily));
  }

  #known<F extends AnyFamily>(head: FamilyHead, type: F['type'], make: () => F): F {
    const { otel, prometheus } = head.name;
    const known = this.#families.get(otel);
    const faults: string[] = [];
    if (known === undefined) faults.push(...faultsOfNames(head));
    else {
      if (known.type !== type) faults.push(`it is a ${known.type}, no ${type}`);
      if (known.head.name.prometheus !== prometheus)
        faults.push(`for Prometheus it is "${known.head.name.prometheus}", not "${prometheus}"`);
      if (known.head.labels.join() !== head.labels.join())
        faults.push(`its labels are ${known.head.labels.join(', ')}, not ${head.labels.join(', ')}`);
    }
    if (faults.length > 0) throw configurationError(`observability: cannot make "${otel}"`, faults);
    if (known !== undefined) return known as F;
    const made = make();
    this.#families.set(otel, made);
    for (const follower of this.#followers) follower(made);
    return made;
  }
}

/** A family as it stands now. */
export async function readFamily(family: AnyFamily): Promise<Family> {
  if (family.type === 'histogram') return { ...family.head, type: 'histogram', samples: family.samples() };
  return { ...family.head, type: family.type, samples: await family.samples() };
}

/** Dots to underscores. */
export const prometheusLabel = (name: string): string => name.replaceAll('.', '_');

const prometheusName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const labelName = /^[a-zA-Z_][a-zA-Z0-9_.]*$/;

function faultsOfNames({ name, labels }: FamilyHead): string[] {
  const faults: string[] = [];
  if (!prometheusName.test(name.prometheus))
    faults.push(`"${name.prometheus}" is no name for Prometheus: letters, digits, _ and :`);
  for (const label of labels)
    if (!labelName.test(label) || label === 'le') faults.push(`"${label}" is no name for a label`);
  return faults;
}

/** What is wrong with the bounds of a histogram. */
export function faultsOfBuckets(option: string, buckets: readonly number[]): string[] {
  const fine =
    Array.isArray(buckets) &&
    buckets.length > 0 &&
    buckets.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > (buckets[i - 1] as number)));
  return fine ? [] : [`${option} must be finite numbers that ascend, at least one`];
}
