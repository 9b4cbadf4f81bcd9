import { BentoError } from '@bento-bus/core';
import { findTrail, type TrailMessage } from '@bento-bus/observability';
import { counted, exitCodes } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { count, each, example, seconds, time } from '../arguments.ts';
import { readingAdmin, readingTransport } from '../connection/tailing.ts';
import type { Output } from '../output/output.ts';
import { trailJson, trailText } from '../output/trail.ts';
import type { Acting } from '../program.ts';
import type { Work } from '../work.ts';

interface TraceArguments {
  readonly topic?: readonly string[];
  readonly since?: number;
  readonly limit: number;
  /** Seconds. */
  readonly idle: number;
}

export function addTrace(program: Command, act: Acting): void {
  example(
    program
      .command('trace')
      .description(
        'where a message came from, what it caused, and what became of it: retries, dead letters, redrives; read from the topics of the backend',
      )
      .argument('<id>', 'of the message')
      .addOption(
        new Option(
          '--topic <topic>',
          'look on this topic, and its retries and dead letters; once for each; not given: on all',
        ).argParser(each),
      )
      .addOption(new Option('--since <time>', 'pass over older messages').argParser(time))
      .addOption(new Option('--limit <count>', 'at most so many messages of the flow').argParser(count).default(1_000))
      .addOption(
        new Option('--idle <seconds>', 'a topic has ended when nothing has come for so long')
          .argParser(seconds)
          .default(5),
      )
      .action(act(trace, { endless: true })),
    'bento trace 0b9c6c1e-6d4f-4a36-9a0e-3f7f0f9f3c55 --since 1d',
  );
}

async function trace(work: Work, id: string, { topic, since, limit, idle }: TraceArguments): Promise<number> {
  const { operations, backend } = await work.connection('broker');
  const found = await findTrail({
    id,
    limit,
    idleMs: Math.round(idle * 1_000),
    signal: work.signal,
    admin: backend?.admin ?? readingAdmin(operations),
    transport: (await backend?.transport()) ?? readingTransport(operations, 'tail'),
    onProgress: ({ pass, read }) =>
      work.progress.update(pass === 'search' ? 'Looking for it, messages read:' : 'Collecting, messages read:', read),
    ...(topic !== undefined && { topics: topic }),
    ...(since !== undefined && { since }),
  });
  work.progress.stop();
  if (found.tree === undefined) {
    if (work.signal.aborted) return exitCodes.interrupted;
    throw new BentoError(
      'VALIDATION',
      `bento: cannot trace "${id}": no topic has a message of that id. What all groups have handled may be deleted; the application's page remembers more.`,
    );
  }
  work.output.raw(work.output.json ? `${trailJson(found)}\n` : trailText(found.tree, work.output));
  remark(work.output, found.messages, found.complete);
  return exitCodes.ok;
}

function remark(output: Output, messages: readonly TrailMessage[], complete: boolean): void {
  const more = complete ? '' : ' There may be more.';
  output.remark(`${counted(messages.length, 'message')} of this flow.${more}`);
}
