import { BentoError } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { createConsoleLogger } from './console-logger.ts';

const capture = (isTTY: boolean) => {
  const lines: string[] = [];
  return { lines, isTTY, write: (text: string) => lines.push(text) };
};

describe('createConsoleLogger', () => {
  it('leaves out what is below its level', () => {
    const stream = capture(true);
    const logger = createConsoleLogger({ stream });
    logger.debug('a');
    logger.info('b');
    logger.warn('c', { messageId: 'm1' });
    logger.error('d');
    expect(stream.lines.map((line) => line.slice(25).trim())).toEqual(['WARN  c messageId=m1', 'ERROR d']);
  });

  it('writes one JSON object a line where no terminal is, with code and cause of errors and no stack', () => {
    const stream = capture(false);
    const error = new BentoError('CONNECTION', 'down', true, { cause: new Error('refused') });
    createConsoleLogger({ stream, level: 'info' }).info('x', { error, big: 2n ** 64n });
    expect(JSON.parse(stream.lines[0] ?? '')).toMatchObject({
      level: 'info',
      message: 'x',
      big: '18446744073709551616',
      error: { code: 'CONNECTION', retryable: true, message: 'down', cause: { message: 'refused' } },
    });
    expect(stream.lines[0]).not.toContain('console-logger.test');
  });

  it('survives fields that JSON cannot say, and shows stacks at level debug', () => {
    const stream = capture(false);
    const logger = createConsoleLogger({ stream, level: 'debug' });
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    logger.debug('x', { circle });
    logger.error('y', { error: new Error('z') });
    expect(stream.lines[0]).toContain('Circular');
    expect(stream.lines[1]).toContain('console-logger.test');
  });

  it('shows the errors of a collection', () => {
    const stream = capture(false);
    createConsoleLogger({ stream }).error('x', {
      error: new AggregateError([new Error('one'), new Error('two')], 'both'),
    });
    expect(JSON.parse(stream.lines[0] ?? '')).toMatchObject({
      error: { message: 'both', errors: [{ message: 'one' }, { message: 'two' }] },
    });
  });

  it('lets no text break its line or steer the terminal', () => {
    const stream = capture(true);
    createConsoleLogger({ stream }).error('bad type "a\nERROR forged \u001b[2J"', { topic: 't\r' });
    expect(stream.lines[0]?.trimEnd().slice(25)).toBe('ERROR bad type "a\\x0aERROR forged \\x1b[2J" topic=t\\x0d');
  });
});
