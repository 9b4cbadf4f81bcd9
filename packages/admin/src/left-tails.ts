import { type Logger, type MessagingAdmin, silentLogger } from '@bento-bus/core';
import { tailPrefix } from './tail.ts';

/**
 * Deletes the groups of tails that a process was killed in, as far as it can: a topic that fails is passed over, with a line in the log. A
 * tail at work has members, and stays.
 */
export async function deleteLeftTails(
  admin: Pick<MessagingAdmin, 'listGroups' | 'describeGroup' | 'deleteGroup'>,
  topics: readonly string[],
  logger: Logger = silentLogger,
): Promise<void> {
  for (const topic of topics)
    try {
      for (const group of await admin.listGroups(topic)) {
        if (!group.startsWith(tailPrefix)) continue;
        const { members } = await admin.describeGroup(topic, group);
        if (members.length > 0) continue;
        await admin.deleteGroup(group, [topic]);
        logger.debug('the group of a tail that was left is deleted', { topic, group });
      }
    } catch (error) {
      logger.debug('groups of tails that were left cannot be deleted', { topic, error });
    }
}
