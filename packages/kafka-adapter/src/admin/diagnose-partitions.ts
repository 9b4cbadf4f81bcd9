import type { Finding } from '@bento-bus/core';
import type { Overview } from './overview.ts';

/** Ids of brokers that should have partitions and are not there, ascending. */
export function brokersAway(brokers: Overview['brokers'], topics: Overview['topics']): readonly number[] {
  const present = new Set(brokers.map(({ nodeId }) => nodeId));
  const named = new Set(topics.flatMap(({ partitions }) => partitions.flatMap(({ replicas }) => replicas)));
  return [...named].filter((id) => !present.has(id)).toSorted((a, b) => a - b);
}

export const awayFinding = (away: readonly number[]): Finding => ({
  check: 'kafka: reachable',
  level: 'warning',
  found: `brokers that should have partitions are away: ${away.join(', ')}`,
  advice: 'Start them, or have their partitions reassigned.',
});

/** Whether all partitions have a leader and all their replicas. */
export function partitionsFinding(topics: Overview['topics']): Finding {
  const check = 'kafka: partitions';
  const all = topics.flatMap(({ topic, partitions }) =>
    partitions.map(({ leader, replicas, isr }) => ({ topic, leader, lacks: replicas.length - isr.length })),
  );
  const named = (some: typeof all): string =>
    [...new Set(some.map(({ topic }) => `"${topic}"`))].slice(0, 5).join(', ');
  const lost = all.filter(({ leader }) => leader < 0);
  if (lost.length > 0)
    return {
      check,
      level: 'fault',
      found: `${lost.length} of ${all.length} have no leader, so nothing is read or stored there: ${named(lost)}`,
      advice: 'Start the brokers that have them.',
    };
  const behind = all.filter(({ lacks }) => lacks > 0);
  if (behind.length > 0)
    return {
      check,
      level: 'warning',
      found: `${behind.length} of ${all.length} lack replicas that are in sync: ${named(behind)}`,
      advice: 'See that all brokers run and have room; a broker that was away needs time.',
    };
  return { check, level: 'ok', found: `all ${all.length} have their leader and all replicas in sync` };
}
