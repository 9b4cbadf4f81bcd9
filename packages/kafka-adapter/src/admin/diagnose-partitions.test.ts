import { describe, expect, it } from '@jest/globals';
import { brokersAway, partitionsFinding } from './diagnose-partitions.ts';
import type { Overview } from './overview.ts';

type Partition = Overview['topics'][number]['partitions'][number];
const topic = (name: string, ...partitions: Partition[]): Overview['topics'][number] => {
  return { topic: name, isInternal: false, partitions };
};
const whole: Partition = { leader: 1, replicas: [1, 2, 3], isr: [1, 2, 3] };
const lagging: Partition = { leader: 1, replicas: [1, 2, 3], isr: [1] };
const lost: Partition = { leader: -1, replicas: [4], isr: [4] };

describe('the partitions of a cluster', () => {
  it.each([
    [[], 'ok', /^all 0 /],
    [[topic('a', whole, whole)], 'ok', /^all 2 /],
    [[topic('a', whole), topic('b', whole, lagging)], 'warning', /^1 of 3 lack replicas that are in sync: "b"$/],
    [[topic('a', whole, lost), topic('b', lagging)], 'fault', /^1 of 3 have no leader, .*: "a"$/],
  ] as const)('are well, or said not to be: %j', (topics, level, found) => {
    expect(partitionsFinding(topics)).toMatchObject({ level, found: expect.stringMatching(found) });
  });

  it('tell which brokers are away', () => {
    const brokers = [1, 3].map((nodeId) => ({ nodeId, host: 'h', port: 1 }));
    expect(brokersAway(brokers, [topic('a', whole, lost)])).toEqual([2, 4]);
    expect(brokersAway(brokers, [])).toEqual([]);
  });
});
