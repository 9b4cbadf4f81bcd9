import type { Logger, MessagingAdmin } from '@bento-bus/core';

/** What `tail` of @bento-bus/admin names its groups. */
const prefix = 'bento-tail-';

/** Deletes the groups of tails that a process was killed in, as far as it can. A tail at work has members. */
export async function deleteLeftTails(
  admin: Pick<MessagingAdmin, 'listGroups' | 'describeGroup' | 'deleteGroup'>,
  topics: readonly string[],
  logger: Logger,
): Promise<void> {
  for (const topic of topics)
    try {
      for (const group of await admin.listGroups(topic)) {
        if (!group.startsWith(prefix)) continue;
        const { members } = await admin.describeGroup(topic, group);
        if (members.length > 0) continue;
        await admin.deleteGroup(group, [topic]);
        logger.debug('the group of a tail that was left is deleted', { topic, group });
      }
    } catch (error) {
      logger.debug('groups of tails that were left cannot be deleted', { topic, error });
    }
}
