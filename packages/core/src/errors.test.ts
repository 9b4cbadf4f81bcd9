import { describe, expect, it } from '@jest/globals';
import {
  BentoError,
  CodecError,
  ConcurrencyError,
  EventHandlersError,
  FencedError,
  isBentoError,
  PublishError,
  ValidationError,
} from './index.ts';

describe('errors', () => {
  it('carry their name, code, retryable flag and cause', () => {
    const cause = new Error('below');
    expect(new BentoError('CONNECTION', 'x', true, { cause })).toMatchObject({
      name: 'BentoError',
      code: 'CONNECTION',
      retryable: true,
      cause,
    });
    expect(new PublishError('x', [1], true)).toMatchObject({
      name: 'PublishError',
      code: 'PUBLISH',
      failed: [1],
      retryable: true,
    });
    expect(new FencedError('x')).toMatchObject({ code: 'FENCED', retryable: false });
    expect(new CodecError('json', 'x', { cause, at: '$.a' })).toMatchObject({
      code: 'CODEC',
      codec: 'json',
      at: '$.a',
      cause,
    });
    expect(new ValidationError('x', [{ path: 'a', message: 'm' }])).toMatchObject({
      code: 'VALIDATION',
      issues: [{ path: 'a' }],
    });
    expect(new EventHandlersError('x', [cause, 'odd'])).toMatchObject({
      name: 'EventHandlersError',
      code: 'HANDLER',
      errors: [cause, 'odd'],
      cause,
    });
    expect(new ConcurrencyError({ type: 'order', id: '7' }, 3, 5)).toMatchObject({
      retryable: true,
      message: 'stream order/7: expected version 3, found 5. Load it again and decide again.',
    });
  });

  it('are known across copies of the package, by code', () => {
    class Copy extends Error {
      readonly code = 'CLOSED';
    }
    Object.defineProperty(Copy.prototype, Symbol.for('bento-bus.error'), { value: true });
    expect(isBentoError(new Copy())).toBe(true);
    expect(isBentoError(new Copy(), 'CLOSED')).toBe(true);
    expect(isBentoError(new Copy(), 'CODEC')).toBe(false);
    for (const other of [new Error('x'), null, undefined, 'CLOSED', { code: 'CLOSED' }])
      expect(isBentoError(other)).toBe(false);
  });
});
