import { eventually } from '@bento-bus/conformance';
import { BentoError, type GroupDescription } from '@bento-bus/core';
import { deferred } from '@bento-bus/core/adapter';
import { describe, expect, it } from '@jest/globals';
import { gauges, listening } from '../../test/watching.ts';
import { createLagMonitor } from './lag-monitor.ts';

const described = (backlog: number, members = 1): GroupDescription => ({
  topic: 'orders',
  group: 'mail',
  backlog,
  partitions: [],
  members: Array.from({ length: members }, (_, id) => ({ id: String(id), partitions: [] })),
});
const at = (next: string, backlog: number): GroupDescription => ({
  ...described(backlog),
  partitions: [{ partition: 0, next, backlog }],
});
/** Answers one after the other; the last again and again. */
const answering = (...answers: readonly (GroupDescription | Error | Promise<GroupDescription>)[]) => {
  const admin = {
    asked: 0,
    describeGroup: async (): Promise<GroupDescription> => {
      const answer = answers[Math.min(admin.asked, answers.length - 1)] as GroupDescription | Error;
      admin.asked += 1;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  return admin;
};
const groups = [{ topic: 'orders', group: 'mail', limit: 5 }];
/** Rare enough that only `refresh` looks. */
const everyMs = 3_600_000;

describe('a lag monitor', () => {
  it('looks at once and again, and says when something is different', async () => {
    const admin = answering(described(3), described(3), described(9, 2));
    await using monitor = createLagMonitor({ admin, groups, everyMs: 2 });
    const changes: number[] = [];
    monitor.onChange(([one]) => void changes.push(one?.lag ?? -1));
    expect(monitor.current()).toMatchObject([{ state: 'unknown', lag: 0, at: undefined }]);
    await eventually(() => admin.asked > 4, { deadlineMs: 10_000 });
    expect(changes).toEqual([3, 9]);
    expect(monitor.current()).toMatchObject([{ state: 'known', lag: 9, members: 2, limit: 5, error: undefined }]);
  });

  it('says when the group last moved: forward in a partition, or out of order', async () => {
    const admin = answering(at('0@1', 5), at('0@1', 9), at('0@2', 9), at('0@2', 9), at('0@2', 8));
    await using monitor = createLagMonitor({ admin, groups, everyMs });
    expect(monitor.current()[0]?.movedAt).toBeUndefined();
    let before = (await monitor.refresh())[0]?.movedAt;
    expect(before).toBeDefined();
    const moved: boolean[] = [];
    // Each look at a time of its own.
    for (let now = Date.now(); moved.length < 4; now = Date.now()) {
      await eventually(() => Date.now() > now, { deadlineMs: 10_000 });
      const movedAt = (await monitor.refresh())[0]?.movedAt;
      moved.push(movedAt !== before);
      before = movedAt;
    }
    expect(moved).toEqual([false, true, false, true]);
  });

  it('takes a group that is not there yet for one without lag', async () => {
    const admin = answering(new BentoError('UNKNOWN_GROUP', 'no such group'), described(1));
    await using monitor = createLagMonitor({ admin, groups, everyMs });
    expect(await monitor.refresh()).toMatchObject([{ state: 'absent', lag: 0, error: undefined }]);
    expect(await monitor.refresh()).toMatchObject([{ state: 'known', lag: 1 }]);
  });

  it('keeps the last value through a fault, and tells the fault once', async () => {
    const { logger, told } = listening();
    const admin = answering(described(3), new Error('gone'), new Error('gone'), described(4));
    await using monitor = createLagMonitor({ admin, groups, everyMs, logger });
    await monitor.refresh();
    expect(await monitor.refresh()).toMatchObject([{ state: 'known', lag: 3, error: 'gone' }]);
    await monitor.refresh();
    expect(told).toHaveLength(1);
    expect(await monitor.refresh()).toMatchObject([{ lag: 4, error: undefined }]);
  });

  it('asks a broker that does not answer no second time, and sees its answer when it comes', async () => {
    const answer = deferred<GroupDescription>();
    const admin = answering(answer.promise);
    await using monitor = createLagMonitor({ admin, groups, everyMs, timeoutMs: 5 });
    const [late] = await monitor.refresh();
    expect(late?.error).toMatch(/"mail" on "orders": no answer in 5 ms/);
    await monitor.refresh();
    expect(admin.asked).toBe(1);
    answer.resolve(described(7));
    await eventually(async () => (await monitor.refresh())[0]?.lag === 7, { deadlineMs: 10_000 });
  });

  it('shows what is known as a gauge', async () => {
    const { known, metrics, read } = gauges();
    await using monitor = createLagMonitor({ admin: answering(described(3)), groups, everyMs, metrics });
    expect(known).toMatchObject([{ name: 'bento_group_lag', labels: ['topic', 'group'] }]);
    expect(await read()).toEqual([]);
    await monitor.refresh();
    expect(await read()).toEqual([{ labels: { topic: 'orders', group: 'mail' }, value: 3 }]);
  });

  it('looks no more once it is closed', async () => {
    const admin = answering(described(3));
    const monitor = createLagMonitor({ admin, groups, everyMs: 1 });
    await monitor.refresh();
    await monitor.close();
    const { asked } = admin;
    const other = answering(described(3));
    await using _ = createLagMonitor({ admin: other, groups, everyMs: 1 });
    await eventually(() => other.asked > 5, { deadlineMs: 10_000 });
    expect(admin.asked).toBe(asked);
  });

  it('names every fault of its options', () => {
    const wrong = { admin: answering(described(1)), groups: [...groups, ...groups], everyMs: 0 };
    expect(() => createLagMonitor(wrong)).toThrow(
      /everyMs must be .* above 0, not 0; "mail" on "orders" stands in groups twice/,
    );
  });
});
