import { setTimeout as sleep } from 'node:timers/promises';
import { thrownText, withDeadline } from '@bento-bus/core/adapter';
import { metricNames } from '../names.ts';
import {
  type CheckResult,
  type HealthCheck,
  type HealthOptions,
  type HealthResult,
  resolveHealthOptions,
} from './options.ts';

/** What is asked from outside. */
export interface Health {
  /** Whether the process is to be started again. It answers, so it lives; with `restartOnStop` its subscriptions must work too. */
  live(): Promise<HealthResult>;
  /** Whether it can do its work now. Never rejects. Callers at the same time, and within `cacheMs`, share one look. */
  ready(): Promise<HealthResult>;
  /** From now on the process is not ready. Resolves after `drainDelayMs`: close servers and subscriptions then. Idempotent. */
  drain(): Promise<void>;
}

/**
 * Health of a process: its checks, all at the same time and each with a limit; groups that are too far behind; subscriptions that do
 * nothing; draining. A check that has not answered is not asked again until it has. Throws a `CONFIGURATION` error that names every
 * fault of the options.
 */
export function createHealth(options: HealthOptions): Health {
  const { cacheMs, checks, drainDelayMs, lag, logger, metrics, restartOnStop, watchdog } =
    resolveHealthOptions(options);
  const all = checks.map((check) => new Check(check));
  let looking: Promise<HealthResult> | undefined;
  let last: { readonly result: HealthResult; readonly at: number } | undefined;
  let draining: Promise<void> | undefined;
  let failing = '';

  const look = async (): Promise<HealthResult> => {
    const found = await Promise.all(all.map((one) => one.look()));
    const result = resultOf([...found, ...lagChecks(lag), ...consumerChecks(watchdog)]);
    last = { result, at: performance.now() };
    const now = faultsOf(result);
    if (now !== failing && now !== '') logger.warn('observability: not ready', { checks: now });
    if (now !== failing && now === '') logger.info('observability: ready again', { checks: failing });
    failing = now;
    return result;
  };
  const ready = async (): Promise<HealthResult> => {
    if (draining !== undefined) return drainingResult;
    if (last !== undefined && performance.now() - last.at < cacheMs) return last.result;
    looking ??= look().finally(() => {
      looking = undefined;
    });
    const result = await looking;
    // It may have begun meanwhile.
    return isDraining() ? drainingResult : result;
  };
  const isDraining = (): boolean => draining !== undefined;

  metrics?.gauge(metricNames.health, '1: well, 0: not; check "ready" is all together.', ['check'], async () => {
    const { status, checks: found } = await ready();
    return [{ name: 'ready', ok: status === 'ok' }, ...found].map(({ name, ok }) => ({
      labels: { check: name },
      value: ok ? 1 : 0,
    }));
  });
  return {
    live: async () => resultOf(restartOnStop ? consumerChecks(watchdog, ['ended', 'stalled']) : []),
    ready,
    drain: () => (draining ??= sleep(drainDelayMs)),
  };
}

const drainingResult: HealthResult = {
  status: 'draining',
  checks: [{ name: 'draining', ok: false, detail: 'this process is about to end', ms: 0 }],
};

const resultOf = (checks: readonly CheckResult[]): HealthResult => ({
  status: checks.every(({ ok }) => ok) ? 'ok' : 'failing',
  checks,
});

const faultsOf = ({ checks }: HealthResult): string =>
  checks
    .filter(({ ok }) => !ok)
    .map(({ name }) => name)
    .join(', ');

function lagChecks(lag: HealthOptions['lag']): readonly CheckResult[] {
  return (lag?.current() ?? [])
    .filter(({ limit }) => limit !== Number.POSITIVE_INFINITY)
    .map(({ topic, group, state, lag: messages, limit, error }) => {
      const seen = state === 'unknown' ? 'not known yet' : `${messages} of at most ${limit}`;
      // A broker that does not answer has a check of its own: here the last value counts.
      return {
        name: `lag ${topic} ${group}`,
        ok: messages <= limit,
        detail: error === undefined ? seen : `${seen}; ${error}`,
        ms: 0,
      };
    });
}

function consumerChecks(
  watchdog: HealthOptions['watchdog'],
  kinds: readonly string[] = ['ended', 'stalled', 'idle'],
): readonly CheckResult[] {
  if (watchdog === undefined) return [];
  const problems = watchdog.problems().filter(({ kind }) => kinds.includes(kind));
  const detail = problems
    .map(({ group, topics, detail: why }) => `group "${group}" on "${topics.join('", "')}" ${why}`)
    .join('; ');
  return [{ name: 'consumers', ok: problems.length === 0, ms: 0, ...(detail !== '' && { detail }) }];
}

/** One check, and its answer that is waited for. */
class Check {
  readonly #check: HealthCheck;
  #asked: Promise<unknown> | undefined;

  constructor(check: HealthCheck) {
    this.#check = check;
  }

  async look(): Promise<CheckResult> {
    const { name, check, timeoutMs = 2_000 } = this.#check;
    const began = performance.now();
    const took = (): number => Math.round(performance.now() - began);
    try {
      // What it throws at once is an answer too.
      this.#asked ??= (async () => check())().finally(() => {
        this.#asked = undefined;
      });
      const detail = await withDeadline(this.#asked, timeoutMs, () => {
        throw new Error(`no answer in ${timeoutMs} ms`);
      });
      return { name, ok: true, ms: took(), ...(typeof detail === 'string' && detail !== '' && { detail }) };
    } catch (error) {
      return { name, ok: false, ms: took(), detail: thrownText(error) };
    }
  }
}
