import { BentoError } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { HttpFailure, oneSentence, SendFailure, toBentoError } from './errors.ts';

const ofNode = (code: string, message = code): BentoError =>
  toBentoError(Object.assign(new Error(message), { code }), 'publish');
const ofRefusal = (reason: string): string =>
  toBentoError(new HttpFailure(401, JSON.stringify({ reason })), 'list').code;

describe('errors', () => {
  it('makes a sentence of JSON, HTML and stack traces', () => {
    expect(oneSentence('{"reason":"Topic persistent://a/b/c not found"}')).toBe('Topic persistent://a/b/c not found');
    const page =
      '<html><head>\n<title>Error 409 Failed to create producer/consumer: {&quot;errorMsg&quot;:&quot;org.apache.pulsar.broker.service.BrokerServiceException$NamingException: Producer with name &apos;x&apos; is already connected to topic&quot;,&quot;reqId&quot;:1}</title>';
    expect(oneSentence(page)).toBe("Producer with name 'x' is already connected to topic");
    expect(oneSentence('java.lang.IllegalArgumentException: bad name\n\tat a.b.C.d(C.java:1)')).toBe('bad name');
  });

  it('knows refused certificates by the codes of Node.js', () => {
    for (const code of ['CERT_HAS_EXPIRED', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID'])
      expect(ofNode(code)).toMatchObject({ code: 'AUTHENTICATION', message: expect.stringContaining('tls.ca') });
    const alert = '80:error:0A000416:SSL routines:ssl3_read_bytes:sslv3 alert certificate unknown:../a.c:1:SSL alert\n';
    expect(ofNode('ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN', alert)).toMatchObject({
      code: 'AUTHENTICATION',
      message: expect.stringMatching(/publish: sslv3 alert certificate unknown\. .*tls\.cert and tls\.key/),
    });
    expect(ofNode('EPROTO', '80:error:0A00010B:SSL routines:f:wrong version number:a.c:1:').code).toBe('CONFIGURATION');
  });

  it('tells a right that is missing from credentials that are', () => {
    expect(ofRefusal('Authentication required')).toBe('AUTHENTICATION');
    expect(ofRefusal('This operation requires super-user access')).toBe('AUTHORIZATION');
  });

  it.each([
    [401, 'AUTHENTICATION', false],
    [403, 'AUTHORIZATION', false],
    [404, 'UNKNOWN_TOPIC', false],
    [409, 'GROUP_CONFLICT', false],
    [412, 'CONFIGURATION', false],
    [405, 'CONFIGURATION', false],
    [500, 'CONNECTION', true],
    [503, 'CONNECTION', true],
    [504, 'TIMEOUT', true],
  ])('%i is %s', (status, code, retryable) => {
    const error = toBentoError(new HttpFailure(status, '{"reason":"because."}'), 'read "orders"');
    expect(error).toMatchObject({ code, retryable });
    expect(error.message).toMatch(/^pulsar-adapter: cannot read "orders": because\. \S.*\.$/);
  });

  it.each([
    ['Failed to create producer: ProducerBusy', 'GROUP_CONFLICT'],
    ['Failed to create consumer: ConsumerBusy', 'GROUP_CONFLICT'],
    ['Failed to create producer: TopicNotFound', 'UNKNOWN_TOPIC'],
    ['Failed to create producer: AuthorizationError', 'AUTHORIZATION'],
    ['Failed to create producer: AuthenticationError', 'AUTHENTICATION'],
    ['Failed to send message: TimeOut', 'TIMEOUT'],
    ['Failed to create producer: ConnectError', 'CONNECTION'],
  ])('of the addon, whatever realm it comes from: %s is %s', (message, code) => {
    expect(toBentoError({ name: 'Error', message }, 'publish').code).toBe(code);
  });

  it('names what lies beneath, and leaves its own errors alone', () => {
    const cause = new TypeError('fetch failed', { cause: Object.assign(new Error(''), { code: 'ECONNREFUSED' }) });
    expect(toBentoError(cause, 'publish').message).toContain('fetch failed (ECONNREFUSED)');
    expect(toBentoError(new SendFailure('full'), 'publish')).toMatchObject({ code: 'CONNECTION', retryable: true });
    const own = new BentoError('CLOSED', 'closed');
    expect(toBentoError(own, 'publish')).toBe(own);
  });
});
