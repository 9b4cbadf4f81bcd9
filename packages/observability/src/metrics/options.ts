import { configurationError, type Logger, silentLogger } from '@bento-bus/core';
import { faultsOfBuckets } from './registry.ts';

/** Options of {@link createMetrics}. All have defaults. */
export interface MetricsOptions {
  /** Bounds of the histograms of durations. Seconds, ascending. @default 0.1 ms to 10 s in 16 steps */
  readonly durationBuckets?: readonly number[];
  /** Bounds of the histogram of ages. Seconds, ascending. @default 1 ms to 1 h in 14 steps */
  readonly ageBuckets?: readonly number[];
  /** So many topics, and so many groups, have labels of their own; further ones are counted together as `other`. @default 1_000 */
  readonly maxTopics?: number;
  /** So many error types have labels of their own; further ones are counted together as `other`. @default 50 */
  readonly maxErrorTypes?: number;
  /** Where a gauge that cannot be read is named. @default silentLogger */
  readonly logger?: Logger;
}

const defaults = {
  durationBuckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  ageBuckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30, 120, 600, 3_600],
  maxTopics: 1_000,
  maxErrorTypes: 50,
  logger: silentLogger,
} as const satisfies Required<MetricsOptions>;

/** With every default; throws one `CONFIGURATION` error that names every fault. */
export function resolveMetricsOptions(options: MetricsOptions): Required<MetricsOptions> {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: Required<MetricsOptions> = { ...defaults, ...(Object.fromEntries(given) as MetricsOptions) };
  const faults = [
    ...faultsOfBuckets('durationBuckets', resolved.durationBuckets),
    ...faultsOfBuckets('ageBuckets', resolved.ageBuckets),
  ];
  for (const name of ['maxTopics', 'maxErrorTypes'] as const)
    if (!Number.isSafeInteger(resolved[name]) || resolved[name] < 0)
      faults.push(`${name} must be a whole number from 0, not ${String(resolved[name])}`);
  if (faults.length > 0) throw configurationError('observability: cannot create the metrics', faults);
  return resolved;
}
