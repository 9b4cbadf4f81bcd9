import { type CheckpointStore, configurationError, type Logger, silentLogger } from '@bento-bus/core';
import { type Clock, systemClock } from '@bento-bus/core/adapter';

/** Options of `createInProcessTransport`. */
export interface InProcessTransportOptions {
  /** For logs and metrics. @default 'inprocess' */
  readonly name?: string;
  /** With `namespace`: progress in `checkpoints` is this tenant's own. Messages are this transport's anyway. @default none */
  readonly tenant?: string;
  /** @default none; with `tenant`, 'default' */
  readonly namespace?: string;
  /**
   * Where groups keep their progress in checkpointed logs. One that outlives the process lets a restart go on where a crash came.
   * It is not closed with the transport. @default `createMemoryCheckpointStore()`
   */
  readonly checkpoints?: CheckpointStore;
  /** Time for delays, holds, backoff and time-outs. @default `systemClock` of `@bento-bus/core/adapter` */
  readonly clock?: Clock;
  /**
   * Messages that a topic keeps for groups to come, and how far a group at work may be behind before publishing to the topic waits.
   * @default 10_000
   */
  readonly retention?: number;
  /** How long `publish` waits for room in a full topic before it fails. Milliseconds. @default 30_000 */
  readonly publishTimeoutMs?: number;
  /** @default `silentLogger` */
  readonly logger?: Logger;
}

export type ResolvedOptions = Required<Omit<InProcessTransportOptions, 'checkpoints' | 'tenant' | 'namespace'>> &
  Pick<InProcessTransportOptions, 'checkpoints'> & {
    /** What names of progress begin with. */
    readonly prefix: string;
  };

/** Checks the options and fills in the defaults. Throws one `CONFIGURATION` error that names every fault. */
export function resolveOptions(options: InProcessTransportOptions): ResolvedOptions {
  const { checkpoints, tenant, namespace = tenant === undefined ? undefined : 'default' } = options;
  const resolved = {
    name: options.name ?? 'inprocess',
    clock: options.clock ?? systemClock,
    retention: options.retention ?? 10_000,
    publishTimeoutMs: options.publishTimeoutMs ?? 30_000,
    logger: options.logger ?? silentLogger,
    prefix: tenant === undefined ? '' : `${tenant}/${String(namespace)}/`,
    ...(checkpoints === undefined ? {} : { checkpoints }),
  };
  const { name, retention, publishTimeoutMs, clock } = resolved;
  const faults: string[] = [];
  if (typeof name !== 'string' || name.trim() === '') faults.push('name must be a name, not empty');
  if (tenant === undefined && namespace !== undefined) faults.push('namespace must come with a tenant');
  for (const [field, value] of Object.entries({ tenant, namespace }))
    if (value !== undefined && !/^[\w-]{1,100}$/.test(value))
      faults.push(`${field} must be of letters, digits, "_" and "-", not ${JSON.stringify(value)}`);
  if (!Number.isSafeInteger(retention) || retention < 1)
    faults.push(`retention must be a whole number from 1, not ${String(retention)}`);
  if (!Number.isFinite(publishTimeoutMs) || publishTimeoutMs < 0)
    faults.push(`publishTimeoutMs must be a number of milliseconds from 0, not ${String(publishTimeoutMs)}`);
  if (typeof clock.now !== 'function' || typeof clock.schedule !== 'function')
    faults.push('clock must have now and schedule');
  if (checkpoints !== undefined && (typeof checkpoints.read !== 'function' || typeof checkpoints.write !== 'function'))
    faults.push('checkpoints must have read and write');
  if (faults.length > 0) throw configurationError('inprocess-bus: cannot create the transport', faults);
  return resolved;
}
