import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Operations } from '@bento-bus/admin';
import { BentoError, type Closeable } from '@bento-bus/core';
import { closeAll } from '@bento-bus/core/adapter';
import type { PulsarAdmin } from '@bento-bus/pulsar-adapter';
import { createProgress, type Progress, UsageError } from '@bento-bus/runtime/terminal';
import { type Backend, type BentoConfig, readConfig } from './connection/config.ts';
import { type Connection, connect, connectPulsar, type Need, type Place } from './connection/connect.ts';
import type { BentoIo } from './io.ts';
import { Output } from './output/output.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly backend?: Backend;
  readonly data: string;
  readonly json?: true;
  /** Seconds. */
  readonly timeout?: number;
}

/** Seconds that a command without end by itself gets; tail, redrive and rebuild have no limit. */
export const defaultTimeout = 60;
const longestRequestMs = 30_000;

/** What one command works with; closes what was opened for it. */
export class Work {
  readonly io: BentoIo;
  readonly output: Output;
  readonly progress: Progress;
  readonly options: GlobalOptions;
  /** Aborts on Ctrl-C and at the time-out: end early, in good order. */
  readonly signal: AbortSignal;
  /** Called before the command is left as something does not answer: tells what was done until then. */
  whenCutShort: (() => void) | undefined;
  readonly #opened: Closeable[] = [];
  #config: BentoConfig | undefined;

  constructor(io: BentoIo, options: GlobalOptions, signal: AbortSignal) {
    this.io = io;
    this.options = options;
    this.signal = signal;
    this.output = new Output(io, options.json === true);
    this.progress = createProgress(io.err);
  }

  /** Read once. */
  get config(): BentoConfig {
    this.#config ??= readConfig(this.io, this.options.backend);
    return this.#config;
  }

  /** Of one request, in whole milliseconds: what does not answer says so itself, before the command's own time is over. */
  get timeoutMs(): number {
    const { timeout = defaultTimeout } = this.options;
    return Math.max(100, Math.min(longestRequestMs, Math.floor(timeout * 800)));
  }

  get place(): Place {
    const { backend, data } = this.options;
    return {
      config: this.config,
      dataDir: this.path(data),
      shownDir: data,
      ...(backend !== undefined && { backend }),
      timeoutMs: this.timeoutMs,
    };
  }

  /** Relative to where the user is. */
  path(file: string): string {
    return resolve(this.io.cwd, file);
  }

  async operations(need: Need): Promise<Operations> {
    return (await this.connection(need)).operations;
  }

  async connection(need: Need): Promise<Pick<Connection, 'operations' | 'backend'>> {
    if (this.io.operations !== undefined) return { operations: this.io.operations };
    return this.own(await connect(this.place, need));
  }

  async pulsar(): Promise<PulsarAdmin> {
    return this.own(await connectPulsar(this.place));
  }

  /** It is closed at the command's end. */
  own<T extends Closeable>(part: T): T {
    this.#opened.push(part);
    return part;
  }

  /** Asks on a terminal. Elsewhere it takes a `--yes`: throws a {@link UsageError} that says so. `what`: `delete topic "orders"`. */
  async confirm(what: string, { yes }: { readonly yes?: boolean }): Promise<void> {
    if (yes === true) return;
    const { input, err } = this.io;
    if (input.isTTY !== true || err.isTTY !== true)
      throw new UsageError(`bento: cannot ${what} without being sure: there is no terminal to ask on. Add --yes.`);
    // Without editing of its own, so that Ctrl-C is a signal as ever.
    const lines = createInterface({ input, terminal: false });
    try {
      err.write(`This will ${what}. Go on? [y/N] `);
      const answer = await new Promise<string>((answered, refuse) => {
        lines.once('line', answered);
        lines.once('close', () => answered(''));
        this.signal.addEventListener('abort', () => refuse(this.signal.reason as Error), { once: true });
      });
      if (!/^y(?:es)?$/i.test(answer.trim())) throw new Error('Nothing was done.');
    } finally {
      lines.close();
    }
  }

  async close(): Promise<void> {
    this.progress.stop();
    await closeAll(this.#opened.splice(0).map((part) => () => part.close()));
  }
}

export const timedOut = (seconds: number): BentoError =>
  new BentoError(
    'TIMEOUT',
    `bento: cannot finish within ${seconds} s: it did not answer in time. Allow more by --timeout; \`doctor\` looks whether the servers are well.`,
    true,
  );
