import { resolve } from 'node:path';
import { isBentoError } from '@bento-bus/core';
import { FailedEventsError } from '@bento-bus/eventsourcing';
import {
  createProgress,
  exitCodes,
  explain,
  type Output,
  type Progress,
  UsageError,
} from '@bento-bus/runtime/terminal';
import { chooseBackend } from '../backends.ts';
import { readConfig } from '../config.ts';
import type { OrderApp, OrderAppOptions } from '../order-app.ts';
import { startTelemetry } from '../telemetry/start-telemetry.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly data: string;
  readonly json?: true;
  /** Seconds. */
  readonly timeout: number;
}

/** What a command works with. */
export interface Work {
  readonly app: OrderApp;
  readonly dataDir: string;
  readonly output: Output;
  readonly progress: Progress;
  /** Aborts on SIGINT and SIGTERM, and once nobody reads the results any more: end early, in good order. */
  readonly signal: AbortSignal;
  /** Print JSON. */
  readonly json: boolean;
  /** Waits until the read models hold, and notifications are sent for, everything committed so far; at least `events`, for the progress shown. */
  readonly caughtUp: (events?: number) => Promise<void>;
  /** The same for a command that shows what there is: failed events are told, and make the exit code that it resolves with. */
  readonly upToDate: () => Promise<number>;
}

/** Runs commands on the application: opens it, closes it whatever happens. */
export class Session {
  readonly output: Output;
  /** As in {@link Work}. */
  readonly signal: AbortSignal;

  constructor(output: Output, signal: AbortSignal) {
    this.output = output;
    this.signal = signal;
  }

  /** Gives the application on the data directory to `work`; resolves with the exit code that `work` gives. */
  async run(options: GlobalOptions, work: (work: Work) => Promise<number>): Promise<number> {
    const configuration = configurationOf(process.cwd());
    const dataDir = resolve(options.data);
    // Loaded here, so that --help and a mistyped option need not wait for the engine.
    const { openOrderApp } = await import('../app.ts');
    const progress = createProgress(process.stderr, { lineEveryMs: 5_000 });
    await using telemetry = await startTelemetry(configuration.config);
    const opening = openOrderApp({ ...configuration, dataDir, ...(await telemetry.observed()) });
    await using app = await unlessServed(dataDir, opening);
    const caughtUp = (events = 0): Promise<void> =>
      app.caughtUp({
        timeoutMs: options.timeout * 1_000,
        signal: this.signal,
        onProgress: (done, total) => progress.update('Updating the read model', done, Math.max(total, events)),
      });
    const upToDate = async (): Promise<number> => {
      try {
        await caughtUp();
        return exitCodes.ok;
      } catch (error) {
        if (!(error instanceof FailedEventsError)) throw error;
        progress.stop();
        this.output.notice(explain(error));
        return exitCodes.failure;
      } finally {
        progress.stop();
      }
    };
    try {
      return await work({
        app,
        dataDir,
        output: this.output,
        progress,
        signal: this.signal,
        json: options.json === true,
        caughtUp,
        upToDate,
      });
    } finally {
      progress.stop();
    }
  }
}

/** Who holds the data directory is named, where it is a shop that is served. */
export async function unlessServed<T>(dataDir: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (!isBentoError(error, 'CONNECTION')) throw error;
    const { readEndpoint } = await import('@bento-bus/admin');
    const served = await readEndpoint(dataDir);
    if (served === undefined || served.pid === process.pid) throw error;
    throw new Error(
      `order-app: cannot open ${dataDir}: process ${served.pid} serves it at ${served.url}. Use that, or end it first, or give another --data.`,
      { cause: error },
    );
  }
}

/** What a folder and the environment say; what is wrong there is a {@link UsageError}. */
export function configurationOf(folder: string): Pick<OrderAppOptions, 'config' | 'runtime'> {
  try {
    const config = readConfig(folder);
    return { config, runtime: chooseBackend(config) };
  } catch (error) {
    throw new UsageError(explain(error), { cause: error });
  }
}
