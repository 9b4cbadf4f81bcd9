import { describe, expect, it } from '@jest/globals';
import { assign } from './assigner.ts';

type Claims = Parameters<typeof assign>[0];
type Result = ReturnType<typeof assign>;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const sizes = (result: Result): number[] => [...result.values()].map((partitions) => partitions.length);
const next = (
  result: Result,
  generation: number,
  topics: Claims[number]['topics'],
  members: readonly string[],
): Claims =>
  members.map((member) => ({
    member,
    generation: result.has(member) ? generation : -1,
    topics,
    owned: result.get(member) ?? [],
  }));
const kept = (before: Result, after: Result): number =>
  [...before].flatMap(([member, partitions]) =>
    partitions.filter(({ topic, partition }) =>
      after.get(member)?.some((one) => one.topic === topic && one.partition === partition),
    ),
  ).length;

describe('the assignment of partitions', () => {
  const topics = { orders: numbers(7), mails: numbers(5) };

  it('is even, whole, and the same for the same claims in any order', () => {
    const claims = next(new Map(), 0, topics, ['a', 'b', 'c', 'd', 'e']);
    const result = assign(claims);
    expect(sizes(result).toSorted((a, b) => a - b)).toEqual([2, 2, 2, 3, 3]);
    const all = [...result.values()].flat().map(({ topic, partition }) => `${topic} ${partition}`);
    expect(new Set(all).size).toBe(12);
    expect(assign(claims.toReversed())).toEqual(result);
  });

  it('moves no more than it must when members come and go', () => {
    let members = ['a', 'b'];
    let result = assign(next(new Map(), 0, topics, members));
    for (const [generation, change] of ['+c', '+d', '-a', '+e', '-c', '-d'].entries()) {
      const name = change.slice(1);
      members = change.startsWith('+') ? [...members, name] : members.filter((member) => member !== name);
      const after = assign(next(result, generation, topics, members));
      const stay = [...result].filter(([member]) => members.includes(member));
      const fair = Math.ceil(12 / members.length);
      expect(kept(result, after)).toBeGreaterThanOrEqual(
        stay.reduce((sum, [, partitions]) => sum + Math.min(partitions.length, fair - 1), 0),
      );
      expect(Math.max(...sizes(after)) - Math.min(...sizes(after))).toBeLessThanOrEqual(1);
      result = after;
    }
  });

  it('gives a partition that two claim to the one that had it last', () => {
    const owned = [{ topic: 'orders', partition: 0 }];
    const claim = { topics: { orders: [0] }, owned };
    const result = assign([
      { ...claim, member: 'a', generation: 3 },
      { ...claim, member: 'b', generation: 8 },
    ]);
    expect(result.get('b')).toEqual(owned);
  });

  it('gives members only topics that they read', () => {
    const result = assign([
      { member: 'a', generation: -1, topics: { orders: numbers(4) }, owned: [] },
      { member: 'b', generation: -1, topics: { mails: numbers(2) }, owned: [{ topic: 'orders', partition: 1 }] },
    ]);
    expect(result.get('a')?.every(({ topic }) => topic === 'orders')).toBe(true);
    expect(result.get('a')).toHaveLength(4);
    expect(result.get('b')).toHaveLength(2);
  });
});
