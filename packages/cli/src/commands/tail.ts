import type { StartPosition } from '@bento-bus/core';
import { printable } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { count, example, seconds, start } from '../arguments.ts';
import { bodyText, seenJson, shortened } from '../output/messages.ts';
import { printTime } from '../output/time.ts';
import type { Acting } from '../program.ts';

export function addTail(program: Command, act: Acting): void {
  example(
    program
      .command('tail')
      .description('show messages of a topic as they come, until Ctrl-C; nothing of it is left behind')
      .argument('<topic>')
      .addOption(
        new Option('--from <place>', 'where to begin: earliest, latest or a time').argParser(start).default('latest'),
      )
      .addOption(new Option('--limit <count>', 'end after so many').argParser(count))
      .addOption(new Option('--idle <seconds>', 'end when nothing has come for so long').argParser(seconds))
      .action(
        act(
          async (
            work,
            topic: string,
            { from, limit, idle }: { readonly from: StartPosition; readonly limit?: number; readonly idle?: number },
          ) => {
            const { output, signal } = work;
            const operations = await work.operations('broker');
            const seen = operations.tail(topic, {
              from,
              signal,
              ...(limit !== undefined && { limit }),
              ...(idle !== undefined && { idleMs: Math.round(idle * 1_000) }),
            });
            const { dim, cyan } = output.colours;
            for await (const one of seen) {
              const { time, key, type, body } = one.message;
              if (output.json) output.raw(`${JSON.stringify(seenJson(one))}\n`);
              else {
                const text = shortened(printable(bodyText(body)), 2_000);
                const head = `${dim(`${printTime(time)}  ${printable(one.position)}`)}  ${cyan(printable(type))}`;
                output.raw(`${head}${key === undefined ? '' : `  ${printable(key)}`}  ${text}\n`);
              }
              // `| head -1`: who reads no more needs no more.
              if (output.gone) break;
            }
          },
          { endless: true },
        ),
      ),
    'bento tail orders --from 10m',
    'bento tail orders --from earliest --idle 2 --json',
  );
}
