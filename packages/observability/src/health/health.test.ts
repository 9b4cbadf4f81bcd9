import { deferred } from '@bento-bus/core/adapter';
import { describe, expect, it } from '@jest/globals';
import { gauges, monitorOf } from '../../test/watching.ts';
import type { GroupLag } from '../lag/options.ts';
import { createHealth } from './health.ts';
import type { WatchdogProblem } from './watchdog.ts';

const cacheMs = 0;
const well = { name: 'store', check: async () => 'ClickHouse 25.8' };
const stopped: WatchdogProblem = { kind: 'ended', group: 'mail', topics: ['orders'], detail: 'has ended: gone' };

const lagCheck = async (lag: Partial<GroupLag>): Promise<readonly unknown[]> => {
  const { status, checks } = await createHealth({ checks: [], lag: monitorOf(lag), cacheMs }).ready();
  return [status, checks[0]?.detail];
};

describe('health', () => {
  it('is ready when every check is well, and shows what they say', async () => {
    const health = createHealth({ checks: [well, { name: 'broker', check: async () => {} }] });
    expect(await health.ready()).toEqual({
      status: 'ok',
      checks: [
        { name: 'store', ok: true, detail: 'ClickHouse 25.8', ms: expect.any(Number) },
        { name: 'broker', ok: true, ms: expect.any(Number) },
      ],
    });
    expect(await health.live()).toEqual({ status: 'ok', checks: [] });
  });

  it('is not ready when a check fails, whether at once, later or by silence', async () => {
    const answer = deferred();
    let asked = 0;
    const silent = { name: 'silent', timeoutMs: 5, check: () => ((asked += 1), answer.promise) };
    const checks = [
      well,
      {
        name: 'thrown',
        check: () => {
          throw new Error('no client');
        },
      },
      { name: 'rejected', check: () => Promise.reject(new Error('refused')) },
      silent,
    ];
    const health = createHealth({ checks, cacheMs });
    const { status, checks: found } = await health.ready();
    expect(status).toBe('failing');
    expect(found.map(({ name, ok, detail }) => [name, ok, detail])).toEqual([
      ['store', true, 'ClickHouse 25.8'],
      ['thrown', false, 'no client'],
      ['rejected', false, 'refused'],
      ['silent', false, 'no answer in 5 ms'],
    ]);
    // It is asked again only once it has answered.
    await health.ready();
    expect(asked).toBe(1);
    answer.resolve();
    expect((await health.ready()).checks[3]?.ok).toBe(true);
    expect((await health.ready()).checks[3]?.ok).toBe(true);
    expect(asked).toBe(2);
  });

  it('asks once for callers at the same time, and for those that come soon', async () => {
    let asked = 0;
    const checks = [{ name: 'store', check: async () => void (asked += 1) }];
    const health = createHealth({ checks, cacheMs: 60_000 });
    await Promise.all([health.ready(), health.ready()]);
    await health.ready();
    expect(asked).toBe(1);
  });

  it('is not ready when a group is over its limit', async () => {
    expect(await lagCheck({})).toEqual(['ok', '3 of at most 10']);
    expect(await lagCheck({ lag: 11 })).toEqual(['failing', '11 of at most 10']);
    expect(await lagCheck({ lag: 11, error: 'gone' })).toEqual(['failing', '11 of at most 10; gone']);
    expect(await lagCheck({ state: 'unknown', lag: 0 })).toEqual(['ok', 'not known yet']);
    expect(await lagCheck({ lag: 11, limit: Number.POSITIVE_INFINITY })).toEqual(['ok', undefined]);
  });

  it('is not ready when a subscription has stopped, and not live only where that is wished', async () => {
    let problems: readonly WatchdogProblem[] = [stopped];
    const watchdog = { problems: () => problems };
    const health = createHealth({ checks: [], watchdog, cacheMs });
    const restarted = createHealth({ checks: [], watchdog, cacheMs, restartOnStop: true });
    const detail = 'group "mail" on "orders" has ended: gone';
    const failing = { status: 'failing', checks: [{ name: 'consumers', ok: false, detail, ms: 0 }] };
    expect(await health.ready()).toEqual(failing);
    expect((await health.live()).status).toBe('ok');
    expect(await restarted.live()).toEqual(failing);
    // More members may help, a restart does not.
    problems = [{ ...stopped, kind: 'idle' }];
    expect((await health.ready()).status).toBe('failing');
    expect((await restarted.live()).status).toBe('ok');
    problems = [];
    expect((await health.ready()).status).toBe('ok');
  });

  it('is not ready from the call of drain on, which waits for load balancers', async () => {
    const asking = deferred();
    const health = createHealth({ checks: [{ name: 'slow', check: () => asking.promise }], drainDelayMs: 10, cacheMs });
    const asked = health.ready();
    const drained = health.drain();
    expect(health.drain()).toBe(drained);
    expect(await health.ready()).toMatchObject({ status: 'draining', checks: [{ name: 'draining', ok: false }] });
    asking.resolve();
    expect((await asked).status).toBe('draining');
    expect((await health.live()).status).toBe('ok');
    await drained;
  });

  it('shows each check as a gauge', async () => {
    const { known, metrics, read } = gauges();
    createHealth({ checks: [well], watchdog: { problems: () => [stopped] }, metrics });
    expect(known).toMatchObject([{ name: 'bento_health', labels: ['check'] }]);
    expect(await read()).toEqual([
      { labels: { check: 'ready' }, value: 0 },
      { labels: { check: 'store' }, value: 1 },
      { labels: { check: 'consumers' }, value: 0 },
    ]);
  });

  it('names every fault of its options', () => {
    const checks = [well, well, { name: 'ready', check: async () => {}, timeoutMs: -1 }];
    expect(() => createHealth({ checks, cacheMs: -1 })).toThrow(
      /cacheMs must be .* not -1; two checks are called "store"; the timeoutMs of check "ready" must be .*; two checks are called "ready"/,
    );
  });
});
