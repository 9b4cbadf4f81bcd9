import { eventually } from '@bento-bus/conformance';
import { deferred } from '@bento-bus/core/adapter';
import { describe, expect, it } from '@jest/globals';
import { gauges, listening, messageOf, monitorOf, subscribe } from '../../test/watching.ts';
import { createWatchdog, type Watchdog } from './watchdog.ts';

const patient = { deadlineMs: 10_000 };
const kinds = (watchdog: Watchdog): readonly string[] => watchdog.problems().map(({ kind }) => kind);

describe('a watchdog', () => {
  it('finds nothing where messages are handled, fail, or are not there', async () => {
    const watchdog = createWatchdog({ stallMs: 20 });
    const { deliver } = subscribe(watchdog, 'mail', 'orders', async ({ message }) => {
      if (message.type === 'bad') throw new Error('bad');
    });
    await deliver(messageOf());
    await expect(deliver(messageOf({ type: 'bad' }))).rejects.toThrow('bad');
    const begun = performance.now();
    await eventually(() => performance.now() - begun > 60, patient);
    expect(watchdog.problems()).toEqual([]);
  });

  it('finds a subscription that ended by a fault, until it is opened again', async () => {
    const watchdog = createWatchdog();
    const first = subscribe(watchdog, 'mail', 'orders', async () => {});
    first.end(new Error('the topic is gone'));
    await eventually(() => kinds(watchdog).length === 1, patient);
    expect(watchdog.problems()).toEqual([
      { kind: 'ended', group: 'mail', topics: ['orders'], detail: 'has ended: the topic is gone' },
    ]);
    const second = subscribe(watchdog, 'mail', 'orders', async () => {});
    expect(watchdog.problems()).toEqual([]);
    await second.close();
  });

  it('knows nothing of a subscription that was closed', async () => {
    const watchdog = createWatchdog();
    const { metrics, read } = gauges();
    const shown = createWatchdog({ metrics });
    for (const one of [watchdog, shown]) await subscribe(one, 'mail', 'orders', async () => {}).close();
    await eventually(async () => expect(await read()).toEqual([]), patient);
    expect(watchdog.problems()).toEqual([]);
  });

  it('finds a handler that does not come to its end, tells it once, and when it is over', async () => {
    const { logger, told } = listening();
    const { metrics, read } = gauges();
    const watchdog = createWatchdog({ stallMs: 30, logger, metrics });
    const held = deferred();
    const { deliver } = subscribe(watchdog, 'mail', 'orders', () => held.promise);
    expect(await read()).toEqual([{ labels: { topic: 'orders', group: 'mail' }, value: 1 }]);
    const handled = deliver(messageOf());
    await eventually(() => kinds(watchdog).includes('stalled') && told.length > 0, patient);
    expect(watchdog.problems()[0]?.detail).toMatch(/^has 1 messages in hand and has ended none for \d+ ms$/);
    expect(await read()).toEqual([{ labels: { topic: 'orders', group: 'mail' }, value: 0 }]);
    held.resolve();
    await handled;
    expect(watchdog.problems()).toEqual([]);
    await eventually(() => told.length === 2, patient);
    expect(told).toEqual([
      expect.stringMatching(/^observability: a subscription has 1 messages in hand/),
      'observability: a subscription works again',
    ]);
  });

  it('finds a group that is behind and gets nothing', async () => {
    const watchdog = createWatchdog({ stallMs: 20, lag: monitorOf({ lag: 5, partitions: 2 }) });
    const { deliver } = subscribe(watchdog, 'mail', 'orders', async () => {});
    await eventually(() => kinds(watchdog).includes('idle'), patient);
    await deliver(messageOf());
    expect(watchdog.problems()).toEqual([]);
  });

  it.each([
    ['is no more than the ends of transactions', { lag: 2, partitions: 2 }],
    ['may have changed since the broker was away', { lag: 5, error: 'gone' }],
    ['is of another group', { lag: 5, group: 'other' }],
    ['others of the group work off', { lag: 5, at: 1_000, movedAt: 995 }],
  ])('takes no lag for a fault that %s', async (_, lag) => {
    const watchdog = createWatchdog({ stallMs: 10, lag: monitorOf(lag) });
    subscribe(watchdog, 'mail', 'orders', async () => {});
    const begun = performance.now();
    await eventually(() => performance.now() - begun > 40, patient);
    expect(watchdog.problems()).toEqual([]);
  });

  it('knows subscriptions of one group and topic apart, and shows the worst of them', async () => {
    const { metrics, read } = gauges();
    const watchdog = createWatchdog({ metrics });
    const [first, second] = [1, 2].map(() => subscribe(watchdog, 'mail', 'orders', async () => {}));
    first?.end(new Error('gone'));
    await eventually(() => kinds(watchdog).length === 1, patient);
    await second?.deliver(messageOf());
    expect(await read()).toEqual([{ labels: { topic: 'orders', group: 'mail' }, value: 0 }]);
    await second?.close();
    expect(kinds(watchdog)).toEqual(['ended']);
    const third = subscribe(watchdog, 'mail', 'orders', async () => {});
    expect(await read()).toEqual([{ labels: { topic: 'orders', group: 'mail' }, value: 1 }]);
    await third.close();
  });

  it('wants a time above 0', () => {
    expect(() => createWatchdog({ stallMs: 0 })).toThrow(/stallMs must be .* above 0, not 0/);
  });
});
