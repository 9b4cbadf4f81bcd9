import type { ResetPosition, StartPosition } from '@bento-bus/core';
import { counted, printCount, table, UsageError } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { count, example, place, start, wholeNumber, yesOption } from '../arguments.ts';
import { bodyText, seenJson, shortened } from '../output/messages.ts';
import { printTime } from '../output/time.ts';
import type { Acting } from '../program.ts';

const partitionOption = (): Option =>
  new Option('--partition <number>', 'of this partition alone').argParser(wholeNumber);

export function addGroups(program: Command, act: Acting): void {
  const groups = program
    .command('groups')
    .alias('subscriptions')
    .description('consumer groups (Kafka), subscriptions (Pulsar), and how far they are');
  example(
    groups
      .command('list')
      .description('groups of a topic, and what they have yet to handle')
      .argument('<topic>')
      .action(
        act(async (work, topic: string) => {
          const operations = await work.operations('broker');
          const names = await operations.listGroups(topic);
          const all = await Promise.all(names.map((name) => operations.describeGroup(topic, name)));
          const rows = all.map(({ group, backlog, members }) => ({ group, backlog, members: members.length }));
          work.output.result(rows, () =>
            table(
              [{ title: 'Group' }, { title: 'Backlog', align: 'right' }, { title: 'Members', align: 'right' }],
              rows.map(({ group, backlog, members }) => [group, printCount(backlog), printCount(members)]),
            ),
          );
        }),
      ),
    'bento groups list orders',
  );
  example(
    groups
      .command('show')
      .description('how far a group is with each partition, and who is at work')
      .argument('<topic>')
      .argument('<group>')
      .action(
        act(async (work, topic: string, group: string) => {
          const found = await (await work.operations('broker')).describeGroup(topic, group);
          work.output.result(found, () => {
            const partitions = found.partitions.map(({ partition, backlog, next = '' }) => [
              `${partition}`,
              printCount(backlog),
              next,
            ]);
            const members = found.members.map(({ id, address = '', partitions: of }) => [id, address, of.join(', ')]);
            return `${table(
              [{ title: 'Partition', align: 'right' }, { title: 'Backlog', align: 'right' }, { title: 'Next' }],
              partitions,
            )}\n${members.length === 0 ? 'No member is at work.\n' : table([{ title: 'Member' }, { title: 'Address' }, { title: 'Partitions' }], members)}`;
          });
        }),
      ),
    'bento groups show orders read-models',
  );
  example(
    groups
      .command('create')
      .description('make a group with no member, so that messages are kept for it')
      .argument('<topic>')
      .argument('<group>')
      .addOption(
        new Option('--from <place>', 'where it begins: earliest, latest or a time').argParser(start).default('latest'),
      )
      .action(
        act(async (work, topic: string, group: string, { from }: { readonly from: StartPosition }) => {
          const created = await (await work.operations('broker')).createGroup(topic, group, from);
          work.output.result({ topic, group, created }, () =>
            created ? `Made "${group}" on "${topic}".\n` : `"${group}" was there and stays where it is.\n`,
          );
        }),
      ),
    'bento groups create orders audit --from earliest',
  );
  example(
    groups
      .command('peek')
      .description('the next messages that a group has not acknowledged; nothing changes')
      .argument('<topic>')
      .argument('<group>')
      .addOption(new Option('--count <count>', 'at most so many of a partition').argParser(count).default(10))
      .addOption(partitionOption())
      .action(
        act(
          async (
            work,
            topic: string,
            group: string,
            options: { readonly count: number; readonly partition?: number },
          ) => {
            const found = await (await work.operations('broker')).peek(topic, group, options);
            work.output.result(found.map(seenJson), () =>
              table(
                [
                  { title: 'Position' },
                  { title: 'Time (UTC)' },
                  { title: 'Key' },
                  { title: 'Type' },
                  { title: 'Id' },
                  { title: 'Body' },
                ],
                found.map(({ position, message: { time, key = '', type, id, body } }) => [
                  position,
                  printTime(time),
                  key,
                  type,
                  id,
                  shortened(bodyText(body), 80),
                ]),
              ),
            );
          },
        ),
      ),
    'bento groups peek orders read-models --count 3',
  );
  addMoves(groups, act);
}

/** What changes the progress of a group. */
function addMoves(groups: Command, act: Acting): void {
  example(
    groups
      .command('reset')
      .description('move a group; what it has acknowledged beyond comes again, or is passed over')
      .argument('<topic>')
      .argument('<group>')
      .addOption(
        new Option('--to <place>', 'earliest, latest, a time, or position:P, the next message that it gets')
          .argParser(place)
          .makeOptionMandatory(),
      )
      .addOption(partitionOption())
      .addOption(yesOption())
      .action(
        act(
          async (
            work,
            topic: string,
            group: string,
            {
              to,
              partition,
              yes = false,
            }: { readonly to: ResetPosition; readonly partition?: number; readonly yes?: boolean },
          ) => {
            if (partition !== undefined && !(typeof to === 'object' && 'position' in to))
              throw new UsageError('bento: cannot move one partition alone but to a position. Write --to position:P.');
            const target = partition === undefined ? to : { ...(to as { position: string }), partition };
            await work.confirm(`move group "${group}" on "${topic}"`, { yes });
            const operations = await work.operations('broker');
            await operations.resetGroup(topic, group, target);
            const { backlog } = await operations.describeGroup(topic, group);
            work.output.result(
              { topic, group, backlog },
              () => `Moved "${group}": ${counted(backlog, 'message')} to handle.\n`,
            );
          },
        ),
      ),
    'bento groups reset orders read-models --to earliest --yes',
    'bento groups reset orders read-models --to 15m --yes',
  );
  example(
    groups
      .command('skip')
      .description('acknowledge the next messages of a group unread')
      .argument('<topic>')
      .argument('<group>')
      .argument('<count>', 'at most so many of a partition', count)
      .addOption(partitionOption())
      .addOption(yesOption())
      .action(
        act(
          async (
            work,
            topic: string,
            group: string,
            most: number,
            { partition, yes = false }: { readonly partition?: number; readonly yes?: boolean },
          ) => {
            await work.confirm(`let group "${group}" pass over ${counted(most, 'message')} of "${topic}"`, { yes });
            const operations = await work.operations('broker');
            const skipped = await operations.skip(topic, group, most, partition === undefined ? {} : { partition });
            work.output.result({ topic, group, skipped }, () => `Passed over ${counted(skipped, 'message')}.\n`);
          },
        ),
      ),
    'bento groups skip orders read-models 1 --partition 0 --yes',
  );
  example(
    groups
      .command('delete')
      .description('delete all progress of a group on a topic')
      .argument('<topic>')
      .argument('<group>')
      .addOption(yesOption())
      .action(
        act(async (work, topic: string, group: string, options: { readonly yes?: boolean }) => {
          await work.confirm(`delete the progress of group "${group}" on "${topic}"`, options);
          await (await work.operations('broker')).deleteGroup(group, [topic]);
          work.output.result({ topic, group, deleted: true }, () => `Deleted "${group}" on "${topic}".\n`);
        }),
      ),
    'bento groups delete orders audit --yes',
  );
}
