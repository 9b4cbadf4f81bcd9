import { configurationError, type Logger, type MessagingAdmin, silentLogger } from '@bento-bus/core';
import type { GaugeRegistry } from '../gauges.ts';

/** A group on a topic whose lag is watched. */
export interface WatchedGroup {
  readonly topic: string;
  readonly group: string;
  /** More messages than this that are not acknowledged are too many. @default the monitor's `limit` */
  readonly limit?: number;
}

/** How far one group is behind. */
export interface GroupLag {
  readonly topic: string;
  readonly group: string;
  /** `'unknown'`: not asked yet, or never answered; `'absent'`: there is no such group or topic yet, which is no fault; else `'known'`. */
  readonly state: 'known' | 'absent' | 'unknown';
  /** Messages that are not acknowledged, as `GroupDescription.backlog` counts them. 0 where the group is absent or unknown. */
  readonly lag: number;
  /** Partitions that have any of it. On Kafka the end of a transaction counts as one message, so a group that is through may have a lag of as many. */
  readonly partitions: number;
  /** Consumers at work, in all processes. */
  readonly members: number;
  readonly limit: number;
  /**
   * When a look last saw that the group had acknowledged anything since the look before, in whatever process; at first, the first look. Epoch
   * milliseconds; undefined: the broker never said.
   */
  readonly movedAt: number | undefined;
  /** When the broker said so. Epoch milliseconds; undefined: it never did. */
  readonly at: number | undefined;
  /** Why the last look failed; what stands here is from the look before. */
  readonly error: string | undefined;
}

/** Options of {@link createLagMonitor}. */
export interface LagMonitorOptions {
  /** Of the backend. The monitor does not close it. */
  readonly admin: Pick<MessagingAdmin, 'describeGroup'>;
  readonly groups: readonly WatchedGroup[];
  /** Time between two looks, with a tenth of jitter. Milliseconds. @default 5_000 */
  readonly everyMs?: number;
  /** A broker that has not answered for a group after so long is a fault. Milliseconds. @default 5_000 */
  readonly timeoutMs?: number;
  /** For groups without one of their own. @default none: no lag is too much */
  readonly limit?: number;
  /** Gets the gauge `bento_group_lag`. @default none */
  readonly metrics?: GaugeRegistry;
  /** @default silentLogger */
  readonly logger?: Logger;
}

export type ResolvedLagOptions = Required<Omit<LagMonitorOptions, 'metrics'>> & Pick<LagMonitorOptions, 'metrics'>;

/** With every default; throws one `CONFIGURATION` error that names every fault. */
export function resolveLagOptions(options: LagMonitorOptions): ResolvedLagOptions {
  const resolved = {
    everyMs: 5_000,
    timeoutMs: 5_000,
    limit: Number.POSITIVE_INFINITY,
    logger: silentLogger,
    ...options,
  };
  const { admin, groups, everyMs, timeoutMs, limit } = resolved;
  const faults: string[] = [];
  if (typeof (admin as Partial<MessagingAdmin> | undefined)?.describeGroup !== 'function')
    faults.push('admin must be a MessagingAdmin, as an adapter makes it');
  for (const [name, value] of Object.entries({ everyMs, timeoutMs }))
    if (!(value > 0)) faults.push(`${name} must be a number of milliseconds above 0, not ${String(value)}`);
  const seen = new Set<string>();
  for (const one of groups) {
    const name = `"${one.group}" on "${one.topic}"`;
    if (!((one.limit ?? limit) >= 0)) faults.push(`the limit of ${name} must be a number from 0`);
    if (seen.has(name)) faults.push(`${name} stands in groups twice`);
    seen.add(name);
  }
  if (faults.length > 0) throw configurationError('observability: cannot watch the lag of groups', faults);
  return resolved;
}
