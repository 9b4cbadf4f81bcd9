import { BentoError, CodecError, PublishError } from '@bento-bus/core';
import { isRetryable } from '@bento-bus/core/adapter';
import { describe, expect, it } from '@jest/globals';
import { describeError, isPassing } from './failure.ts';

describe('describeError', () => {
  it('names the code, the message with its causes, and where it came from', () => {
    const error = new BentoError('TIMEOUT', 'too late', true, { cause: new TypeError('no socket') });
    const { code, message, stack } = describeError(error);
    expect({ code, message }).toEqual({ code: 'TIMEOUT', message: 'too late ← no socket' });
    expect(stack).toMatch(/^at .*failure\.test\.ts/);
    expect(stack).not.toContain('too late');
  });

  it('takes anything that can be thrown', () => {
    expect(describeError('text')).toEqual({ code: 'string', message: 'text', stack: '' });
    expect(describeError(undefined)).toEqual({ code: 'undefined', message: '', stack: '' });
    expect(describeError(null)).toEqual({ code: 'object', message: 'null', stack: '' });
    expect(describeError(Object.create(null))).toMatchObject({ message: 'something that has no text' });
    expect(describeError(Object.assign(new Error(''), { code: 7 }))).toMatchObject({ code: 'Error', message: 'Error' });
    expect(describeError(Object.assign(new Error('x'), { code: 'ENOENT' }))).toMatchObject({ code: 'ENOENT' });
  });

  it('stays short, and well-formed for headers', () => {
    const { message, stack } = describeError(
      Object.assign(new Error('é'.repeat(5_000)), { stack: '    at x\n'.repeat(2_000) }),
    );
    expect(message).toHaveLength(1_000);
    expect(stack.length).toBeLessThanOrEqual(2_000);
    expect(describeError(new Error('half \ud800 pair')).message).toBe('half \ufffd pair');
    expect(describeError(new Error(`${'x'.repeat(998)}😀${'x'.repeat(9)}`)).message.slice(998)).toBe('\ufffd…');
  });

  it('ends with causes that go round', () => {
    const error = new Error('round');
    error.cause = error;
    expect(describeError(error).message).toBe(Array.from({ length: 5 }, () => 'round').join(' ← '));
  });
});

describe('the rule of what may succeed again', () => {
  it('believes the flag of an error, and hopes without one', () => {
    expect(isRetryable(new CodecError('application/json', 'no'))).toBe(false);
    expect(isRetryable({ retryable: false })).toBe(false);
    expect(isRetryable(new BentoError('TIMEOUT', 'late', true))).toBe(true);
    expect(isRetryable(new Error('unknown'))).toBe(true);
    expect(isRetryable('text')).toBe(true);
  });

  it('lets pass what is no fault of the message', () => {
    for (const code of ['ABORTED', 'CLOSED', 'FENCED', 'CONNECTION', 'AUTHENTICATION', 'AUTHORIZATION'] as const)
      expect(isPassing(new BentoError(code, 'x'))).toBe(true);
    expect(isPassing(new PublishError('x', [0], true, { reason: 'CONNECTION' }))).toBe(true);
    expect(isPassing(new PublishError('x', [0], true, { reason: 'TIMEOUT' }))).toBe(false);
    expect(isPassing(new PublishError('x', [0], true))).toBe(false);
    for (const code of ['HANDLER', 'TIMEOUT', 'CODEC', 'OVERSIZE'] as const)
      expect(isPassing(new BentoError(code, 'x'))).toBe(false);
    expect(isPassing({ code: 'ABORTED' })).toBe(false);
  });
});
