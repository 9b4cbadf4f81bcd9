import { counted, facts, printCount, table, UsageError } from '@bento-bus/runtime/terminal';
import type { Command } from 'commander';
import { Option } from 'commander';
import { count, each, example, mayDelete, pair, yesOption } from '../arguments.ts';
import type { Acting } from '../program.ts';

export function addTopics(program: Command, act: Acting): void {
  const topics = program.command('topics').description('topics of the backend');
  example(
    topics
      .command('list')
      .description('names of topics, sorted')
      .option('--prefix <text>', 'those that begin so')
      .option('--internal', 'also those that the toolkit and the broker made for themselves')
      .action(
        act(async (work, options: { readonly prefix?: string; readonly internal?: true }) => {
          const names = await (await work.operations('broker')).listTopics(options);
          work.output.result(names, () => names.map((name) => `${name}\n`).join(''));
        }),
      ),
    'bento topics list --prefix ord',
  );
  example(
    topics
      .command('show')
      .description('partitions, sizes and settings of a topic')
      .argument('<topic>')
      .action(
        act(async (work, topic: string) => {
          const found = await (await work.operations('broker')).describeTopic(topic);
          work.output.result(found, () => {
            const rows = found.partitions.map(({ partition, messages, bytes, first = '', last = '' }) => [
              `${partition}`,
              printCount(messages),
              bytes === undefined ? '' : printCount(bytes),
              first,
              last,
            ]);
            const settings = Object.entries(found.config);
            return `${table(
              [
                { title: 'Partition', align: 'right' },
                { title: 'Messages', align: 'right' },
                { title: 'Bytes', align: 'right' },
                { title: 'First' },
                { title: 'Last' },
              ],
              rows,
            )}${settings.length === 0 ? '' : `\n${facts(settings)}`}`;
          });
        }),
      ),
    'bento topics show orders',
  );
  example(
    topics
      .command('create')
      .description('make a topic; one that is there stays as it is')
      .argument('<topic>')
      .addOption(new Option('--partitions <count>', 'how many').argParser(count))
      .addOption(new Option('--replication <count>', 'copies of each partition (Kafka)').argParser(count))
      .addOption(
        new Option('--config <name=value>', "a setting by the broker's own name; once for each").argParser(pair),
      )
      .action(
        act(
          async (
            work,
            topic: string,
            {
              partitions,
              replication,
              config,
            }: { partitions?: number; replication?: number; config?: Record<string, string> },
          ) => {
            const created = await (await work.operations('broker')).createTopic(topic, {
              ...(partitions !== undefined && { partitions }),
              ...(replication !== undefined && { replicationFactor: replication }),
              ...(config !== undefined && { config }),
            });
            work.output.result({ topic, created }, () =>
              created ? `Made "${topic}".\n` : `"${topic}" was there and stays as it was.\n`,
            );
          },
        ),
      ),
    'bento topics create orders --partitions 8 --config retention.ms=604800000',
  );
  example(
    topics
      .command('delete')
      .description('delete a topic with all that is stored in it and all progress on it')
      .argument('<topic>')
      .addOption(yesOption())
      .action(
        act(async (work, topic: string, options: { readonly yes?: boolean }) => {
          await work.confirm(`delete topic "${topic}" and all that is in it`, options);
          const deleted = await (await work.operations('broker')).deleteTopic(topic);
          work.output.result({ topic, deleted }, () =>
            deleted ? `Deleted "${topic}".\n` : `There was no "${topic}".\n`,
          );
        }),
      ),
    'bento topics delete orders-old --yes',
  );
  example(
    topics
      .command('partitions')
      .description('give a topic more partitions; keys may then belong to another one')
      .argument('<topic>')
      .argument('<count>', 'how many it is to have', count)
      .addOption(yesOption())
      .action(
        act(async (work, topic: string, partitions: number, options: { readonly yes?: boolean }) => {
          await work.confirm(
            `give "${topic}" ${counted(partitions, 'partition')}, from where on keys are in order anew`,
            options,
          );
          await (await work.operations('broker')).setPartitions(topic, partitions);
          work.output.result({ topic, partitions }, () => `"${topic}" has ${counted(partitions, 'partition')}.\n`);
        }),
      ),
    'bento topics partitions orders 16 --yes',
  );
  addConfig(topics, act);
}

interface ConfigArguments {
  readonly unset?: readonly string[];
  readonly yes?: boolean;
}

function addConfig(topics: Command, act: Acting): void {
  example(
    topics
      .command('config')
      .description(
        "show the settings of a topic that differ from the broker's, or change some; asks where the change may delete messages",
      )
      .argument('<topic>')
      .argument('[settings...]', "NAME=VALUE by the broker's own names; on Pulsar values are JSON")
      .addOption(new Option('--unset <name>', 'back to the default; once for each').argParser(each))
      .addOption(yesOption())
      .action(
        act(async (work, topic: string, settings: readonly string[], { unset = [], yes = false }: ConfigArguments) => {
          const config: Record<string, string | null> = Object.fromEntries(unset.map((name) => [name, null]));
          for (const text of settings) {
            if (!/^[^=]+=/.test(text))
              throw new UsageError(`bento: cannot set "${text}": it is no setting. Write NAME=VALUE.`);
            Object.assign(config, pair(text));
          }
          const names = Object.keys(config);
          if (mayDelete(names))
            await work.confirm(`change ${names.join(', ')} of "${topic}", by which messages may be deleted`, { yes });
          const operations = await work.operations('broker');
          if (names.length > 0) await operations.configureTopic(topic, config);
          const found = await operations.describeTopic(topic);
          work.output.result({ topic, config: found.config }, () => facts(Object.entries(found.config)));
        }),
      ),
    'bento topics config orders max.message.bytes=2097152',
    'bento topics config orders retention.ms=86400000 --yes',
    'bento topics config orders --unset retention.ms --yes',
  );
}
