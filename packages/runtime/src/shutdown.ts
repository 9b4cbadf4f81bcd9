import type { Logger } from '@bento-bus/core';

/** Options of {@link closeOnSignal}. */
export interface ShutdownOptions {
  /** Drains: stops taking work, lets what runs finish, closes in reverse order. */
  readonly close: () => Promise<void>;
  /** Longest drain; then the process exits with 1. Milliseconds. @default 15_000 */
  readonly deadlineMs?: number;
  /** @default ['SIGTERM', 'SIGINT'] */
  readonly signals?: readonly NodeJS.Signals[];
  /** Exit code after a clean drain. @default 0 */
  readonly exitCode?: number | ((signal: NodeJS.Signals) => number);
  /** @default a line on standard error */
  readonly logger?: Pick<Logger, 'info' | 'error'>;
  /** @default process.exit */
  readonly exit?: (code: number) => void;
}

const numbers: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 };

/** The shell's exit code of a process that a signal ended: 128 plus its number. */
export const signalExitCode = (signal: NodeJS.Signals): number => 128 + (numbers[signal] ?? 0);

/**
 * A repeat this soon is the same signal: npm passes Ctrl-C on to a child that the terminal has signalled already, half a millisecond
 * apart (npm 11.19). Milliseconds.
 */
const echoMs = 250;

/**
 * On the first signal drains and exits; on a second, 250 ms later or more, exits at once with {@link signalExitCode}. A drain that fails or takes longer than
 * its deadline exits with 1 and says so. Returns the function that takes the listeners away.
 */
export function closeOnSignal(options: ShutdownOptions): () => void {
  const { close, deadlineMs = 15_000, signals = ['SIGTERM', 'SIGINT'], exitCode = 0 } = options;
  const exit = options.exit ?? ((code: number) => process.exit(code));
  const logger = options.logger ?? {
    info: (line: string) => void process.stderr.write(`${line}\n`),
    error: (line: string) => void process.stderr.write(`${line}\n`),
  };
  let drainingSince: number | undefined;

  const listener = (signal: NodeJS.Signals): void => {
    if (drainingSince !== undefined) {
      if (performance.now() - drainingSince >= echoMs) exit(signalExitCode(signal));
      return;
    }
    drainingSince = performance.now();
    logger.info(`${signal}: draining, again to stop at once`);
    // Not unref'd: a drain that nothing keeps alive must still end by its deadline.
    const timer = setTimeout(() => {
      logger.error(`the drain took longer than ${deadlineMs} ms; what was in flight will be delivered again`);
      exit(1);
    }, deadlineMs);
    const finish = async (): Promise<number> => {
      try {
        await close();
        return typeof exitCode === 'function' ? exitCode(signal) : exitCode;
      } catch (error) {
        logger.error(`the drain failed: ${String(error)}`);
        return 1;
      } finally {
        clearTimeout(timer);
      }
    };
    void finish().then(exit);
  };
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
