import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ProtocolError,
  TimeoutError,
  UserError,
} from '@platformatic/kafka';
import { isExpelled, isFenced, isStaleMember, toBentoError } from '../errors.ts';
import { answerOf, faultOf, isRetriable } from './faults.ts';

// What users get by the driver on kafkajs is the measure.
const require = createRequire(import.meta.url);
const { createErrorFromCode, errorCodes } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error;
  errorCodes: readonly { readonly code: number }[];
};

const seen = (cause: unknown): unknown => {
  const { code, retryable } = toBentoError(cause, 'try');
  return { code, retryable, fenced: isFenced(cause), stale: isStaleMember(cause), expelled: isExpelled(cause) };
};

const several = (...codes: number[]): unknown =>
  faultOf(
    new MultipleErrors(
      'several',
      codes.map((code) => new ProtocolError(code)),
    ),
  );

describe('errors of this client', () => {
  it("become the same errors of ours as kafkajs' do, for every error of the protocol that both know", () => {
    const codes = errorCodes.map(({ code }) => code).filter((code) => code > 0);
    expect(codes.length).toBeGreaterThan(80);
    const differences = codes
      .map((code) => ({ code, ours: seen(answerOf(code)), kafkajs: seen(createErrorFromCode(code)) }))
      .filter(({ ours, kafkajs }) => JSON.stringify(ours) !== JSON.stringify(kafkajs));
    expect(differences).toEqual([]);
    expect(isFenced(answerOf(90))).toBe(true);
  });

  it('are told apart where they have no code of the protocol', () => {
    const refused = new NetworkError('Connection to b:9092 failed.', { cause: new Error('connect ECONNREFUSED') });
    const denied = new NetworkError('Connection to b:9092 failed.', {
      cause: new AuthenticationError('SASL authentication failed.', { cause: new ProtocolError(58, 'wrong password') }),
    });
    const untrusted = new NetworkError('Connection to b:9092 failed.', {
      cause: Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
    });
    const cases = [
      [refused, 'CONNECTION', true, /connect ECONNREFUSED/],
      [new MultipleErrors('Cannot connect to any broker.', [refused, refused]), 'CONNECTION', true, /ECONNREFUSED/],
      [denied, 'AUTHENTICATION', false, /wrong password/],
      [untrusted, 'AUTHENTICATION', false, /self-signed certificate.*connection\.ssl\.ca/],
      [new UserError('Broker requires TLS.'), 'CONFIGURATION', false, /connection\.ssl/],
      [new TimeoutError('Request timed out', { canRetry: true }), 'TIMEOUT', true, /Request timed out/],
      [new TypeError('a bug'), 'CONNECTION', false, /a bug/],
    ] as const;
    for (const [cause, code, retryable, text] of cases) {
      const fault = faultOf(cause);
      const error = toBentoError(fault, 'publish to "orders"');
      expect([error.code, error.retryable, isRetriable(fault)]).toEqual([code, retryable, retryable]);
      expect(error.message).toMatch(text);
    }
  });

  it('say the worst of several, and nothing of what was left alone because of it', () => {
    expect(toBentoError(several(6, 29), 'try').code).toBe('AUTHORIZATION');
    // OPERATION_NOT_ATTEMPTED beside CONCURRENT_TRANSACTIONS.
    expect(isRetriable(several(55, 51))).toBe(true);
  });
});
