import type { FailedFilter, FailedMessage, FailedRun, FailedRunOptions, Operations } from '@bento-bus/admin';
import { BentoError } from '@bento-bus/core';
import { counted, exitCodes, facts, printCount, table, UsageError } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { count, each, example, rate, time, yesOption } from '../arguments.ts';
import { failedJson, messageText, shortened } from '../output/messages.ts';
import { printTime } from '../output/time.ts';
import type { Acting } from '../program.ts';
import type { Work } from '../work.ts';

interface FilterArguments {
  readonly id?: readonly string[];
  readonly key?: readonly string[];
  readonly type?: readonly string[];
  readonly code?: readonly string[];
  readonly since?: number;
  readonly until?: number;
  readonly limit?: number;
}
interface RunArguments extends FilterArguments {
  readonly rate?: number;
  readonly dryRun?: true;
  readonly yes?: boolean;
}

const filters = (command: Command): Command =>
  command
    .addOption(new Option('--id <id>', 'this message; once for each').argParser(each))
    .addOption(new Option('--key <key>', 'of this key; once for each').argParser(each))
    .addOption(new Option('--type <type>', 'of this type; once for each').argParser(each))
    .addOption(new Option('--code <code>', 'with this error code; once for each').argParser(each))
    .addOption(new Option('--since <time>', 'failed last at this time or later').argParser(time))
    .addOption(new Option('--until <time>', 'failed last before this time').argParser(time))
    .addOption(new Option('--limit <count>', 'at most so many').argParser(count));

const filtered = (command: Command): Command =>
  filters(command.argument('<topic>', 'where the messages came from').argument('<group>', 'the group that failed'));

const filterOf = ({ id, key, type, code, since, until }: FilterArguments): FailedFilter => ({
  ...(id !== undefined && { ids: id }),
  ...(key !== undefined && { keys: key }),
  ...(type !== undefined && { types: type }),
  ...(code !== undefined && { errorCodes: code }),
  ...(since !== undefined && { since }),
  ...(until !== undefined && { until }),
});

export function addDlq(program: Command, act: Acting): void {
  const dlq = program
    .command('dlq')
    .description('messages that a group could not handle: dead letters and parked ones');
  example(
    filters(
      dlq
        .command('list')
        .description('topics and groups with failed messages; of one group, its failed messages')
        .argument('[topic]', 'where the messages came from')
        .argument('[group]', 'the group that failed'),
    ).action(
      act(async (work, topic: string | undefined, group: string | undefined, options: FilterArguments) => {
        if (topic === undefined) return showPlaces(work);
        if (group === undefined)
          throw new UsageError(
            `bento: cannot list failed messages of "${topic}": no group is named. Write: dlq list ${topic} GROUP`,
          );
        const found = await list(await work.operations('failed'), topic, group, options);
        work.output.result(found.map(failedJson), () => listText(found));
        return exitCodes.ok;
      }),
    ),
    'bento dlq list',
    'bento dlq list orders mail --code VALIDATION --since 1d',
  );
  example(
    dlq
      .command('show')
      .description('one failed message, and why it failed')
      .argument('<topic>')
      .argument('<group>')
      .argument('<id>', 'of the message')
      .action(
        act(async (work, topic: string, group: string, id: string) => {
          const [found] = await list(await work.operations('failed'), topic, group, { id: [id] });
          if (found === undefined)
            throw new BentoError(
              'VALIDATION',
              `bento: cannot show "${id}": it is not among the failed messages of "${group}" on "${topic}". \`dlq list\` shows those that there are.`,
            );
          work.output.result(failedJson(found), () => showText(found));
        }),
      ),
    'bento dlq show orders mail 0b9c6c1e-6d4f-4a36-9a0e-3f7f0f9f3c55',
  );
  example(
    filtered(dlq.command('redrive').description('give failed messages back to the one group that failed'))
      .addOption(new Option('--rate <number>', 'at most so many a second').argParser(rate))
      .option('--dry-run', 'only count them')
      .action(
        act(
          (work, topic: string, group: string, options: RunArguments) =>
            run(work, 'redrive', { topic, group }, options),
          {
            endless: true,
          },
        ),
      ),
    'bento dlq redrive orders mail --dry-run',
    'bento dlq redrive orders mail --rate 50',
  );
  example(
    filtered(dlq.command('discard').description('take failed messages away; a copy stays on the audit topic'))
      .addOption(new Option('--rate <number>', 'at most so many a second').argParser(rate))
      .option('--dry-run', 'only count them')
      .addOption(yesOption())
      .action(
        act(
          (work, topic: string, group: string, options: RunArguments) =>
            run(work, 'discard', { topic, group }, options),
          {
            endless: true,
          },
        ),
      ),
    'bento dlq discard orders mail --type order.shipped --yes',
  );
}

async function showPlaces(work: Work): Promise<number> {
  const places = await (await work.operations('failed')).failedPlaces();
  work.output.result(places, () =>
    table(
      [{ title: 'Topic' }, { title: 'Group' }, { title: 'Waiting', align: 'right' }],
      places.map(({ topic, group, count: waiting }) => [topic, group, printCount(waiting)]),
    ),
  );
  return exitCodes.ok;
}

const list = (
  operations: Operations,
  topic: string,
  group: string,
  options: FilterArguments,
): Promise<readonly FailedMessage[]> =>
  operations.listFailed(topic, group, {
    filter: filterOf(options),
    ...(options.limit !== undefined && { limit: options.limit }),
  });

const listText = (found: readonly FailedMessage[]): string =>
  table(
    [
      { title: 'Failed last (UTC)' },
      { title: 'Kind' },
      { title: 'Key' },
      { title: 'Type' },
      { title: 'Id' },
      { title: 'Tries', align: 'right' },
      { title: 'Code' },
      { title: 'Error' },
    ],
    found.map(({ kind, message, lastFailed, attempts, errorCode = '', error = '' }) => [
      printTime(lastFailed),
      kind,
      message.key ?? '',
      message.type,
      message.id,
      attempts === undefined ? '' : printCount(attempts),
      errorCode,
      shortened(error, 80),
    ]),
  );

const showText = (found: FailedMessage): string => {
  const { kind, topic, group, position, reason = '', errorCode = '', error = '', attempts, stack } = found;
  const head = facts([
    ['Kind', kind],
    ['Topic', topic],
    ['Group', group],
    ['Position', position],
    ['Reason', reason],
    ['Code', errorCode],
    ['Error', error],
    ['Tries', attempts === undefined ? '' : printCount(attempts)],
    ['Failed first', printTime(found.firstFailed)],
    ['Failed last', printTime(found.lastFailed)],
  ]);
  const trace = stack?.split('\n').map((line) => facts([['', line]]));
  return `${head}\n${messageText(found.message)}${trace === undefined ? '' : `\n${trace.join('')}`}`;
};

async function run(
  work: Work,
  action: 'redrive' | 'discard',
  { topic, group }: { readonly topic: string; readonly group: string },
  options: RunArguments,
): Promise<number> {
  const dryRun = options.dryRun === true;
  if (action === 'discard' && !dryRun)
    await work.confirm(`discard failed messages of group "${group}" on "${topic}"`, options);
  const operations = await work.operations('failed');
  // Only who sees progress wants to know of how many.
  const places = work.io.err.isTTY === true ? await operations.failedPlaces() : [];
  const total = places.find((one) => one.topic === topic && one.group === group)?.count;
  const settings: FailedRunOptions = {
    filter: filterOf(options),
    dryRun,
    signal: work.signal,
    onProgress: ({ looked }) => work.progress.update(action === 'redrive' ? 'Redriving' : 'Discarding', looked, total),
    ...(options.limit !== undefined && { limit: options.limit }),
    ...(options.rate !== undefined && { perSecond: options.rate }),
  };
  const report = await operations[action](topic, group, settings);
  work.progress.stop();
  work.output.result({ topic, group, dryRun, ...report }, () => runText(action, report, dryRun));
  return exitCodes.ok;
}

function runText(action: 'redrive' | 'discard', { done, kept, complete }: FailedRun, dryRun: boolean): string {
  if (dryRun) return `Would ${action} ${counted(done, 'message')}.\n`;
  const did = action === 'redrive' ? 'Redrove' : 'Discarded';
  const left = kept === 0 ? '' : `, kept ${printCount(kept)} that do not fit`;
  return `${did} ${counted(done, 'message')}${left}.${complete ? '' : ' There may be more.'}\n`;
}
