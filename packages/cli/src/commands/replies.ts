import type { Operations } from '@bento-bus/admin';
import { isBentoError } from '@bento-bus/core';
import { counted, printCount, table } from '@bento-bus/runtime/terminal';
import type { Command } from 'commander';
import { example, yesOption } from '../arguments.ts';
import type { Acting } from '../program.ts';

/** As @bento-bus/dispatcher names the topics that instances get their replies on. */
const prefix = 'bento-reply-';

interface ReplyTopic {
  readonly topic: string;
  readonly members: number;
  readonly waiting: number;
}

export function addReplies(program: Command, act: Acting): void {
  const replies = program
    .command('replies')
    .description('reply topics of request and reply; each instance has its own');
  example(
    replies
      .command('list')
      .description('reply topics, and whether their instance is there')
      .action(
        act(async (work) => {
          const all = await replyTopics(await work.operations('broker'));
          work.output.result(all, () =>
            table(
              [{ title: 'Topic' }, { title: 'Instance' }, { title: 'Waiting', align: 'right' }],
              all.map(({ topic, members, waiting }) => [topic, members > 0 ? 'there' : 'gone', printCount(waiting)]),
            ),
          );
        }),
      ),
    'bento replies list',
  );
  example(
    replies
      .command('clean')
      .description('delete reply topics whose instance is gone; do it while no instance starts')
      .addOption(yesOption())
      .action(
        act(async (work, options: { readonly yes?: boolean }) => {
          const operations = await work.operations('broker');
          const gone = (await replyTopics(operations)).filter(({ members }) => members === 0);
          if (gone.length > 0) await work.confirm(`delete ${counted(gone.length, 'reply topic')}`, options);
          const deleted: string[] = [];
          for (const { topic } of gone) {
            // Somebody may have come while the question was open.
            const now = await look(operations, topic);
            if (now.members === 0 && (await operations.deleteTopic(topic))) deleted.push(topic);
            work.progress.update('Deleting', deleted.length, gone.length);
            if (work.signal.aborted) break;
          }
          work.progress.stop();
          work.output.result({ deleted }, () => `Deleted ${counted(deleted.length, 'reply topic')}.\n`);
        }),
      ),
    'bento replies clean --yes',
  );
}

async function replyTopics(operations: Operations): Promise<readonly ReplyTopic[]> {
  const all: ReplyTopic[] = [];
  for (const topic of await operations.listTopics({ prefix, internal: true })) all.push(await look(operations, topic));
  return all;
}

async function look(operations: Operations, topic: string): Promise<ReplyTopic> {
  try {
    const groups = await operations.listGroups(topic);
    const found = await Promise.all(groups.map((group) => operations.describeGroup(topic, group)));
    return {
      topic,
      members: found.reduce((sum, { members }) => sum + members.length, 0),
      waiting: found.reduce((sum, { backlog }) => sum + backlog, 0),
    };
  } catch (error) {
    // Its instance ended in between.
    if (isBentoError(error, 'UNKNOWN_TOPIC') || isBentoError(error, 'UNKNOWN_GROUP'))
      return { topic, members: 0, waiting: 0 };
    throw error;
  }
}
