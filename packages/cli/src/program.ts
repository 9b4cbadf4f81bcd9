import { readFileSync } from 'node:fs';
import { BentoError } from '@bento-bus/core';
import { exitCodes, writerTo } from '@bento-bus/runtime/terminal';
import { Command, Option } from 'commander';
import { seconds } from './arguments.ts';
import { addAsyncApi } from './commands/asyncapi.ts';
import { addCompletion } from './commands/completion.ts';
import { addDlq } from './commands/dlq.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvents } from './commands/events.ts';
import { addGroups } from './commands/groups.ts';
import { addProjections } from './commands/projections.ts';
import { addPublish } from './commands/publish.ts';
import { addPulsar } from './commands/pulsar.ts';
import { addRelay } from './commands/relay.ts';
import { addReplies } from './commands/replies.ts';
import { addSchemas } from './commands/schemas.ts';
import { addTail } from './commands/tail.ts';
import { addTopics } from './commands/topics.ts';
import { addTrace } from './commands/trace.ts';
import { backends } from './connection/config.ts';
import type { BentoIo } from './io.ts';
import { defaultTimeout, type GlobalOptions, timedOut, Work } from './work.ts';

// The same from src and from dist.
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

/** What a command does; what it resolves with is the exit code, nothing: 0. Arguments, then options, as commander gives them. */
type Action<A extends readonly unknown[]> = (work: Work, ...args: A) => Promise<number | void>;

/** How commands are made into actions of commander. */
export interface Acting {
  <A extends readonly unknown[]>(
    action: Action<A>,
    limits?: {
      /** It has no end by itself. @default false */
      readonly endless?: boolean | ((...args: A) => boolean);
    },
  ): (...args: A) => Promise<void>;
}

/** Of a parsed command line. */
export interface Program {
  readonly command: Command;
  /** Rejects as the command does, and with commander's error for a command line that cannot be used. */
  run(argv: readonly string[]): Promise<number>;
}

/** The command line. */
export function createProgram(io: BentoIo): Program {
  let exitCode: number = exitCodes.ok;
  const program = new Command(io.name)
    .description(
      'Looks at Bento Bus and operates it: the same on Pulsar, on Kafka and, through the application, in process.',
    )
    .version(version, '-V', 'print the version')
    .addOption(new Option('--backend <name>', 'backend, in place of MESSAGE_BUS_TYPE').choices(backends))
    .addOption(new Option('--data <dir>', 'data directory of the application').default('./.bento/order-app'))
    .option('--json', 'print the result as JSON')
    .addOption(
      new Option(
        '--timeout <seconds>',
        `longest wait; ${defaultTimeout} unless the command has no end by itself`,
      ).argParser(seconds),
    )
    .helpCommand(true)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: writerTo(io.out),
      writeErr: writerTo(io.err),
      outputError: () => {},
      getOutHelpWidth: () => io.out.columns ?? 80,
      getErrHelpWidth: () => io.err.columns ?? 80,
    })
    .exitOverride();

  const act: Acting =
    (action, { endless = false } = {}) =>
    async (...args) => {
      const options = program.opts<GlobalOptions>();
      const hasNoEnd = typeof endless === 'function' ? endless(...args) : endless;
      const limit = options.timeout ?? (hasNoEnd ? undefined : defaultTimeout);
      exitCode = (await within(io, options, limit, (work) => action(work, ...args))) ?? exitCodes.ok;
    };

  const commands = [
    addDoctor,
    addTopics,
    addGroups,
    addPublish,
    addTail,
    addDlq,
    addReplies,
    addRelay,
    addProjections,
    addEvents,
    addTrace,
    addSchemas,
    addAsyncApi,
    addPulsar,
    addCompletion,
  ];
  for (const add of commands) add(program, act);
  // Without a command: what there is.
  program.allowExcessArguments(true).action(() => {
    const [unknown] = program.args;
    if (unknown === undefined) program.help();
    program.error(`error: unknown command '${unknown}'`, { code: 'commander.unknownCommand' });
  });
  return {
    command: program,
    run: async (argv) => {
      await program.parseAsync(argv, { from: 'user' });
      return exitCode;
    },
  };
}

/** After Ctrl-C; then what does not answer is left. */
const goodOrderMs = 5_000;

/** Runs a command, closes what it opened; rejects with `TIMEOUT` when it takes longer than `limit` seconds. */
async function within<T>(
  io: BentoIo,
  options: GlobalOptions,
  limit: number | undefined,
  action: (work: Work) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const work = new Work(io, options, AbortSignal.any([io.signal, late.signal]));
  let timer: NodeJS.Timeout | undefined;
  const run = async (): Promise<T> => {
    try {
      return await action(work);
    } finally {
      await work.close();
    }
  };
  const cutShort = new Promise<never>((_, reject) => {
    const give = (ms: number, error: BentoError): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        work.whenCutShort?.();
        reject(error);
        late.abort(error);
      }, ms);
    };
    if (limit !== undefined) give(limit * 1_000, timedOut(limit));
    const interrupted = new BentoError('ABORTED', 'bento: cannot end in good order: something does not answer.', true);
    io.signal.addEventListener('abort', () => give(goodOrderMs, interrupted), { once: true });
  });
  try {
    return await Promise.race([run(), cutShort]);
  } finally {
    clearTimeout(timer);
  }
}
