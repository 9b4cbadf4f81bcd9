import { describe, expect, it } from '@jest/globals';
import { BentoError, CodecError, PublishError } from '../errors.ts';
import { headerText, isInterruption, isOversize, isRetryable, thrownText } from './thrown.ts';

describe('what is said of anything that was thrown', () => {
  it('whether the message is at fault', () => {
    for (const code of ['ABORTED', 'CLOSED', 'FENCED'] as const)
      expect(isInterruption(new BentoError(code, 'x'))).toBe(true);
    expect(isInterruption(new BentoError('CONNECTION', 'x', true))).toBe(false);
    expect(isInterruption({ code: 'ABORTED' })).toBe(false);
  });

  it('whether it may succeed: believes the flag of an error, and hopes without one', () => {
    expect(isRetryable(new CodecError('application/json', 'no'))).toBe(false);
    expect(isRetryable({ retryable: false })).toBe(false);
    expect(isRetryable(new BentoError('TIMEOUT', 'late', true))).toBe(true);
    for (const error of [new Error('unknown'), 'text', null, undefined]) expect(isRetryable(error)).toBe(true);
  });

  it('whether it was too large', () => {
    expect(isOversize(new BentoError('OVERSIZE', 'x'))).toBe(true);
    expect(isOversize(new PublishError('x', [0], false, { reason: 'OVERSIZE' }))).toBe(true);
    expect(isOversize(new PublishError('x', [0], true))).toBe(false);
    expect(isOversize('OVERSIZE')).toBe(false);
  });

  it('its text, as a header can hold it', () => {
    expect(['text', undefined, null, new Error(''), new TypeError('x')].map(thrownText)).toEqual([
      'text',
      'undefined',
      'null',
      'Error',
      'x',
    ]);
    expect(thrownText(Object.create(null))).toBe('something that has no text');
    expect(headerText('é'.repeat(5_000), 1_000)).toHaveLength(1_000);
    expect(headerText('half \ud800 pair', 20)).toBe('half \ufffd pair');
    expect(headerText(`${'x'.repeat(8)}😀${'x'.repeat(9)}`, 10)).toBe('xxxxxxxx\ufffd…');
  });
});
