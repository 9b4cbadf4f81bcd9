import { BentoError, isBentoError } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { type CommandLineOptions, runCommandLine } from './command-line.ts';
import { exitCodes, UsageError } from './errors.ts';

/** How commander (with `exitOverride`) ends a command line. */
const commander = (exitCode: number, code: string, message: string): Error =>
  Object.assign(new Error(message), { exitCode, code: `commander.${code}` });

/** Ends with `reason`. */
async function ending(
  reason: unknown,
  options: Partial<CommandLineOptions> = {},
): Promise<{ readonly code: number; readonly told: readonly string[] }> {
  const told: string[] = [];
  const command = async (): Promise<never> => {
    throw reason;
  };
  const code = await runCommandLine(command, {
    name: 'shop',
    output: { notice: (line) => void told.push(line) },
    signal: new AbortController().signal,
    interrupted: () => exitCodes.interrupted,
    ...options,
  });
  return { code, told };
}

const isUsage = (error: unknown): boolean => isBentoError(error, 'CONFIGURATION');

describe('a command line', () => {
  it('ends with what its command gives', async () => {
    const signal = AbortSignal.abort();
    const options = { name: 'shop', output: { notice: () => {} }, signal, interrupted: () => exitCodes.interrupted };
    expect(await runCommandLine(() => Promise.resolve(7), options)).toBe(7);
  });

  it.each<[string, unknown, number, readonly string[]]>([
    ['a failure, in one line', new Error('shop: cannot.\n  Do it.\r\n'), 1, ['shop: cannot. Do it.']],
    ['a failure without a message', new TypeError(), 1, ['TypeError']],
    ['a failure that is no error', 'why', 1, ['why']],
    ['an interruption that nobody asked for', new BentoError('ABORTED', 'ended'), 1, ['ended']],
    ['a command line that cannot be used', new UsageError('no such thing'), 2, ['no such thing']],
    ['what commander refuses', commander(1, 'unknownCommand', "error: no 'x'."), 2, ["no 'x'. See: shop --help"]],
    ['help that was asked for', commander(0, 'helpDisplayed', '(outputHelp)'), 0, []],
    ['help in place of a command', commander(1, 'help', '(outputHelp)'), 2, []],
  ])('tells of %s', async (_, error, code, told) => {
    expect(await ending(error)).toEqual({ code, told });
  });

  it('tells of an interruption in its own words', async () => {
    const signal = AbortSignal.abort();
    for (const error of [new BentoError('ABORTED', 'ended'), signal.reason])
      expect(await ending(error, { signal })).toEqual({ code: 130, told: [] });
    // What fails on the way out is a failure.
    expect(await ending(new Error('cannot close'), { signal })).toEqual({ code: 1, told: ['cannot close'] });
  });

  it('takes its name before what commander says, the configuration for a usage, and shows the stack', async () => {
    expect(await ending(new BentoError('CONFIGURATION', 'no URL'), { isUsage })).toEqual({ code: 2, told: ['no URL'] });
    expect(await ending(commander(1, 'x', 'error: no'), { prefix: 'shop: ' })).toMatchObject({
      told: ['shop: no. See: shop --help'],
    });
    const error = new Error('broken');
    expect(await ending(error, { debug: true })).toEqual({ code: 1, told: ['broken', error.stack] });
  });
});
