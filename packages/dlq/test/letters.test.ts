import { readDeadLetter, redrive } from '@bento-bus/dlq';
import { describe, expect, it } from '@jest/globals';
import { fits } from '../src/redrive/letter.ts';
import { messageOf } from './support.ts';

const letter = readDeadLetter({
  position: 'p',
  message: messageOf({
    key: 'k',
    headers: {
      'bento-reason': 'exhausted',
      'bento-error-code': 'TIMEOUT',
      'bento-last-failed': '1000',
      'bento-attempts': 'x',
    },
  }),
});

describe('dead letters', () => {
  it('are read as far as they say something', () => {
    expect(letter).toMatchObject({ reason: 'exhausted', errorCode: 'TIMEOUT', lastFailed: 1000, attempts: undefined });
    expect(letter).toMatchObject({ group: undefined, firstFailed: undefined });
  });

  it.each([
    [{}, true],
    [{ types: ['test.happened'], keys: ['k'], ids: ['m-1'], reasons: ['exhausted'], errorCodes: ['TIMEOUT'] }, true],
    [{ types: ['other'] }, false],
    [{ keys: ['other'] }, false],
    [{ ids: [] }, false],
    [{ since: 1_000, until: 1_001 }, true],
    [{ since: 1_001 }, false],
    [{ until: 1_000 }, false],
    [{ where: () => false }, false],
  ] as const)('fit a filter in all that it says: %j', (filter, expected) => {
    expect(fits(letter, filter)).toBe(expected);
  });

  it('without a time fit no time', () => {
    expect(fits(readDeadLetter({ position: '', message: messageOf() }), { since: 0 })).toBe(false);
  });

  it('are redriven with valid options only; every fault is named', async () => {
    const wrong = { topic: '', group: '', action: 'x', limit: 0, perSecond: -1, idleMs: 0, filter: { since: 'y' } };
    await expect(redrive(wrong as never)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(/transport.*topic.*group.*action.*limit.*perSecond.*idleMs.*since/s),
    });
  });
});
