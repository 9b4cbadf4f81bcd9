import { configurationError, type Logger, silentLogger } from '@bento-bus/core';
import type { GaugeRegistry } from '../gauges.ts';
import type { LagMonitor } from '../lag/lag-monitor.ts';
import type { Watchdog } from './watchdog.ts';

/** One thing without which the process cannot do its work: the broker, the event store. */
export interface HealthCheck {
  readonly name: string;
  /** Resolves: it is well; a string is shown beside it. Rejects: it is not, and why. */
  readonly check: () => Promise<unknown>;
  /** No answer in this time is a fault. Milliseconds. @default 2_000 */
  readonly timeoutMs?: number;
}

/** What one check found. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
  /** How long it took. Milliseconds. */
  readonly ms: number;
}

/** `'draining'`: well, but about to end. */
export interface HealthResult {
  readonly status: 'ok' | 'failing' | 'draining';
  readonly checks: readonly CheckResult[];
}

/** Options of {@link createHealth}. */
export interface HealthOptions {
  readonly checks: readonly HealthCheck[];
  /** A group with more lag than its limit makes the process not ready. @default none */
  readonly lag?: Pick<LagMonitor, 'current'>;
  /** A subscription that does nothing any more makes the process not ready. @default none */
  readonly watchdog?: Pick<Watchdog, 'problems'>;
  /** It also makes the process not live, so that whatever started it starts it again, once it has ended or stands still. @default false */
  readonly restartOnStop?: boolean;
  /** How long an answer is good for further callers. Milliseconds. @default 1_000 */
  readonly cacheMs?: number;
  /** How long `drain` waits, so that load balancers ask once more and send nothing. Milliseconds. @default 5_000 */
  readonly drainDelayMs?: number;
  /** Gets the gauge `bento_health`. @default none */
  readonly metrics?: GaugeRegistry;
  /** @default silentLogger */
  readonly logger?: Logger;
}

export type ResolvedHealthOptions = Required<Omit<HealthOptions, 'lag' | 'watchdog' | 'metrics'>> &
  Pick<HealthOptions, 'lag' | 'watchdog' | 'metrics'>;

/** With every default; throws one `CONFIGURATION` error that names every fault. */
export function resolveHealthOptions(options: HealthOptions): ResolvedHealthOptions {
  const resolved = { restartOnStop: false, cacheMs: 1_000, drainDelayMs: 5_000, logger: silentLogger, ...options };
  const { cacheMs, checks, drainDelayMs } = resolved;
  const faults: string[] = [];
  for (const [name, value] of Object.entries({ cacheMs, drainDelayMs }))
    if (!(value >= 0)) faults.push(`${name} must be a number of milliseconds from 0, not ${String(value)}`);
  const seen = new Set<string>(['ready']);
  for (const { name, check, timeoutMs = 1 } of checks) {
    if (typeof check !== 'function') faults.push(`check "${name}" must have a function check`);
    if (!(timeoutMs > 0)) faults.push(`the timeoutMs of check "${name}" must be a number of milliseconds above 0`);
    if (seen.has(name))
      faults.push(`two checks are called "${name}"${name === 'ready' ? ', as all together are' : ''}`);
    seen.add(name);
  }
  if (faults.length > 0) throw configurationError('observability: cannot make health', faults);
  return resolved;
}
