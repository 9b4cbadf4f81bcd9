import { describe, expect, it } from '@jest/globals';
import { fault, isAnswerLost, toBentoError } from './errors.ts';

const server = (code: string): Error => Object.assign(new Error('no\n  good.'), { code, type: 'X' });
const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

describe('toBentoError', () => {
  it.each([
    [server('516'), 'AUTHENTICATION', false],
    [server('497'), 'AUTHORIZATION', false],
    [server('164'), 'AUTHORIZATION', false],
    [server('60'), 'CONFIGURATION', false],
    [server('81'), 'CONFIGURATION', false],
    [server('241'), 'CONNECTION', true],
    [server('252'), 'CONNECTION', true],
    [server('243'), 'CONNECTION', true],
    [server('159'), 'TIMEOUT', true],
    [server('62'), 'CONNECTION', false],
    [system('ECONNREFUSED'), 'CONNECTION', true],
    [system('ENOTFOUND'), 'CONNECTION', true],
    [new Error('socket hang up'), 'CONNECTION', true],
    [new Error('Timeout error.'), 'TIMEOUT', true],
    [new Error('ChdbConnection is closed'), 'CLOSED', false],
    [new AggregateError([system('ECONNREFUSED'), system('ECONNREFUSED')], ''), 'CONNECTION', true],
    ['text', 'CONNECTION', false],
  ])('types %p', (cause, code, retryable) => {
    expect(toBentoError(cause, 'do it')).toMatchObject({ code, retryable, cause });
  });

  it('writes one line: what, why, what to do', () => {
    expect(toBentoError(server('516'), 'open "x"').message).toBe(
      'clickhouse-store: cannot open "x": no good. Check user name and password.',
    );
    expect(toBentoError(new AggregateError([system('ECONNREFUSED')]), 'open "x"').message).toBe(
      'clickhouse-store: cannot open "x": connect ECONNREFUSED. Check that the server runs and the URL is right.',
    );
  });

  it('leaves an error of ours as it is', () => {
    const own = fault('CLOSED', 'x', 'y', 'z');
    expect(toBentoError(own, 'other')).toBe(own);
  });
});

describe('isAnswerLost', () => {
  it('is true where the statement may have been run all the same, also within our own error', () => {
    for (const cause of [
      system('ECONNRESET'),
      new Error('Timeout error.'),
      server('159'),
      server('319'),
      server('210'),
    ])
      for (const error of [cause, toBentoError(cause, 'x')]) expect(isAnswerLost(error)).toBe(true);
  });

  it('is false where the server has said no', () => {
    for (const cause of [server('60'), server('516'), server('241'), new Error('x'), 'x'])
      for (const error of [cause, toBentoError(cause, 'x')]) expect(isAnswerLost(error)).toBe(false);
  });
});
