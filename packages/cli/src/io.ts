import type { Operations } from '@bento-bus/admin';
import type { TextOutput } from '@bento-bus/runtime/terminal';

/** What a command line is run with. */
export interface BentoIo {
  /** Results. @default process.stdout */
  readonly out: TextOutput;
  /** Everything else: progress, questions, what went wrong. @default process.stderr */
  readonly err: TextOutput;
  /** Bodies and answers. @default process.stdin */
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  /** @default process.env */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `.env`, `bento.config.json` and relative paths are. @default process.cwd() */
  readonly cwd: string;
  /** Ends the command in good order. @default never */
  readonly signal: AbortSignal;
  /** How the program is called, in help and advice. @default 'bento' */
  readonly name: string;
  /** Commands work on these, and connect to nothing; they stay open. @default by the configuration */
  readonly operations?: Operations;
}

/** What is not given is the process's own. */
export const ioOf = (given: Partial<BentoIo>): BentoIo => ({
  out: process.stdout,
  err: process.stderr,
  input: process.stdin,
  env: process.env,
  cwd: process.cwd(),
  signal: new AbortController().signal,
  name: 'bento',
  ...given,
});
