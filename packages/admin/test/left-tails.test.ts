import { silentLogger } from '@bento-bus/core';
import { expect, it } from '@jest/globals';
import { deleteLeftTails } from '../src/index.ts';

it('groups of tails without members are deleted, and no others; a topic that fails does not keep the next', async () => {
  const members: Record<string, number> = { 'bento-tail-left': 0, 'bento-tail-at-work': 1, 'read-models': 0 };
  const deleted: string[] = [];
  await deleteLeftTails(
    {
      listGroups: async (topic) => {
        if (topic === 'away') throw new Error('no such topic');
        return Object.keys(members);
      },
      describeGroup: async (topic, group) => ({
        group,
        topic,
        backlog: 0,
        partitions: [],
        members: Array.from({ length: members[group] ?? 0 }, (_, i) => ({ id: `${i}`, partitions: [] })),
      }),
      deleteGroup: async (group, topics) => void deleted.push(`${group} ${topics.join()}`),
    },
    ['away', 'orders'],
    silentLogger,
  );
  expect(deleted).toEqual(['bento-tail-left orders']);
});
