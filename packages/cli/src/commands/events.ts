import type { StoredEvent } from '@bento-bus/core';
import { BentoError } from '@bento-bus/core';
import { table } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { count, example } from '../arguments.ts';
import { eventJson, shortened } from '../output/messages.ts';
import { printTime } from '../output/time.ts';
import type { Acting } from '../program.ts';

export function addEvents(program: Command, act: Acting): void {
  const events = program.command('events').description('the event store');
  example(
    events
      .command('stream')
      .description('events of one aggregate')
      .argument('<type>', 'of the stream: order')
      .argument('<id>')
      .addOption(new Option('--from <version>', 'from this version on').argParser(count))
      .addOption(new Option('--limit <count>', 'at most so many').argParser(count).default(1_000))
      .action(
        act(async (work, type: string, id: string, options: { readonly from?: number; readonly limit: number }) => {
          const operations = await work.operations('store');
          // One more than is shown tells whether there are more.
          const read = await operations.stream({ type, id }, { ...options, limit: options.limit + 1 });
          const found = read.slice(0, options.limit);
          if (found.length === 0 && options.from === undefined)
            throw new BentoError(
              'VALIDATION',
              `bento: cannot show the stream ${type}/${id}: it has no events. See what there is by: events log`,
            );
          work.output.result(found.map(eventJson), () => streamText(found));
          const next = read[options.limit];
          if (next !== undefined)
            work.output.notice(`There are more: events stream ${type} ${id} --from ${next.streamVersion}`);
        }),
      ),
    'bento events stream order 536365',
  );
  example(
    events
      .command('log')
      .description('events of all aggregates, in the order of their commits')
      .option('--after <position>', 'after this position')
      .addOption(new Option('--limit <count>', 'at most so many').argParser(count).default(100))
      .action(
        act(async (work, options: { readonly after?: string; readonly limit: number }) => {
          const found = await (await work.operations('store')).events(options);
          work.output.result(found.map(eventJson), () => logText(found));
          const last = found.at(-1);
          if (last !== undefined && found.length === options.limit)
            work.output.remark(`There may be more: events log --after ${last.position}`);
        }),
      ),
    'bento events log --limit 20 --json',
  );
}

const data = (event: StoredEvent): string => shortened(JSON.stringify(event.data), 120);

const streamText = (events: readonly StoredEvent[]): string =>
  table(
    [
      { title: 'Version', align: 'right' },
      { title: 'Time (UTC)' },
      { title: 'Type' },
      { title: 'Id' },
      { title: 'Data' },
    ],
    events.map((event) => [`${event.streamVersion}`, printTime(event.time), event.type, event.id, data(event)]),
  );

const logText = (events: readonly StoredEvent[]): string =>
  table(
    [
      { title: 'Position' },
      { title: 'Time (UTC)' },
      { title: 'Stream' },
      { title: 'Version', align: 'right' },
      { title: 'Type' },
      { title: 'Data' },
    ],
    events.map((event) => [
      event.position,
      printTime(event.time),
      `${event.stream.type}/${event.stream.id}`,
      `${event.streamVersion}`,
      event.type,
      data(event),
    ]),
  );
