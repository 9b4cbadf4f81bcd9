import { createRequire } from 'node:module';
import { BentoError, FencedError } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { isExpelled, isStaleMember, toBentoError } from './errors.ts';

const require = createRequire(import.meta.url);
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  createErrorFromCode: (code: number) => Error;
};
const errors = require('kafkajs/src/errors') as Record<string, new (...given: unknown[]) => Error>;

/** As kafkajs wraps what it has tried often enough. */
const exceeded = (cause: Error): Error =>
  new (errors['KafkaJSNumberOfRetriesExceeded'] as (typeof errors)[string])(cause, {
    cause,
    retryCount: 5,
    retryTime: 1,
  });

describe("the broker's errors", () => {
  it('become ours, and say whether to try again', () => {
    const refused = new (errors['KafkaJSConnectionError'] as (typeof errors)[string])('connect ECONNREFUSED');
    const cases: readonly (readonly [Error, string, boolean])[] = [
      [createErrorFromCode(3), 'UNKNOWN_TOPIC', false],
      [createErrorFromCode(10), 'OVERSIZE', false],
      [createErrorFromCode(19), 'REPLICAS', true],
      [createErrorFromCode(29), 'AUTHORIZATION', false],
      [createErrorFromCode(58), 'AUTHENTICATION', false],
      [createErrorFromCode(45), 'PUBLISH', true],
      [createErrorFromCode(5), 'CONNECTION', true],
      [createErrorFromCode(7), 'TIMEOUT', true],
      [createErrorFromCode(23), 'CONFIGURATION', false],
      [refused, 'CONNECTION', true],
      [exceeded(refused), 'CONNECTION', true],
      [exceeded(createErrorFromCode(29)), 'AUTHORIZATION', false],
      [new TypeError('a bug'), 'CONNECTION', false],
    ];
    for (const [cause, code, retryable] of cases) {
      const error = toBentoError(cause, 'publish to "orders"');
      expect([cause.message, error.code, error.retryable]).toEqual([cause.message, code, retryable]);
      expect(error.cause).toBe(cause);
      expect(error.message).toMatch(/^kafka-adapter: cannot publish to "orders": .+\. [A-Z]/);
    }
  });

  it('of TLS are not tried again, and say what to do', () => {
    const cases: readonly (readonly [code: string, advice: RegExp])[] = [
      ['DEPTH_ZERO_SELF_SIGNED_CERT', /ssl\.ca/],
      ['SELF_SIGNED_CERT_IN_CHAIN', /ssl\.ca/],
      ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /ssl\.ca/],
      ['CERT_HAS_EXPIRED', /renewed/],
      ['ERR_TLS_CERT_ALTNAME_INVALID', /ssl\.servername/],
      ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', /ssl\.cert/],
      ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /ssl\.cert/],
      ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /ssl\.cert/],
    ];
    const text =
      '804CC45D9F7F0000:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:../rec.c:1601:\n';
    for (const [code, advice] of cases) {
      const cause = new (errors['KafkaJSConnectionError'] as new (text: string, fields: object) => Error)(text, {
        code,
      });
      const error = toBentoError(exceeded(cause), 'publish to "orders"');
      expect([code, error.code, error.retryable]).toEqual([code, 'AUTHENTICATION', false]);
      expect(error.message).toMatch(advice);
      expect(error.message).toMatch(/^kafka-adapter: cannot publish to "orders": sslv3 alert bad certificate\. /);
    }
  });

  it('of a request for several are that of the first', () => {
    const cause = Object.assign(new Error('Topic creation errors'), { errors: [createErrorFromCode(37)] });
    expect(toBentoError(cause, 'create topic "orders"').code).toBe('CONFIGURATION');
  });

  it('tell a fence by every code it can have', () => {
    // INVALID_PRODUCER_EPOCH, and PRODUCER_FENCED, which kafkajs does not know.
    for (const code of [47, 90]) expect(toBentoError(createErrorFromCode(code), 'publish')).toBeInstanceOf(FencedError);
  });

  it('tell a member that must join again from one that is none any more', () => {
    const [unknownMember, illegalGeneration, rebalance] = [25, 22, 27].map(createErrorFromCode);
    expect([unknownMember, illegalGeneration, rebalance].map(isStaleMember)).toEqual([true, true, true]);
    expect([unknownMember, illegalGeneration, rebalance].map(isExpelled)).toEqual([true, true, false]);
    expect(isStaleMember(createErrorFromCode(16))).toBe(false);
  });

  it('leave ours as they are', () => {
    const ours = new BentoError('CODEC', 'text');
    expect(toBentoError(ours, 'publish')).toBe(ours);
  });
});
