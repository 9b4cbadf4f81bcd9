import { describe, expect, it } from '@jest/globals';
import { loadConfig } from './config.ts';
import { messagingFields, pulsarUrls, tenantOptions } from './settings.ts';

describe('pulsarUrls', () => {
  it.each([
    [{}, {}],
    [{ PULSAR_SERVICE_URL: 'pulsar://a:6650' }, { serviceUrl: 'pulsar://a:6650', webUrl: 'http://a:8080' }],
    [{ PULSAR_SERVICE_URL: 'pulsar+ssl://a:6651' }, { serviceUrl: 'pulsar+ssl://a:6651', webUrl: 'https://a:8443' }],
    [{ PULSAR_SERVICE_URL: 'pulsar://[::1]:6650' }, { serviceUrl: 'pulsar://[::1]:6650', webUrl: 'http://[::1]:8080' }],
    [{ PULSAR_SERVICE_URL: 'http://a:8081' }, { webUrl: 'http://a:8081' }],
    [{ PULSAR_SERVICE_URL: 'wss://a' }, { webUrl: 'https://a' }],
    [{ PULSAR_WEB_URL: 'http://w:1' }, { webUrl: 'http://w:1' }],
    [
      { PULSAR_SERVICE_URL: 'pulsar://a', PULSAR_WEB_URL: 'https://w' },
      { serviceUrl: 'pulsar://a', webUrl: 'https://w' },
    ],
    [{ PULSAR_SERVICE_URL: 'ws://a:1', PULSAR_WEB_URL: 'https://w' }, { webUrl: 'https://w' }],
  ])('makes of %j %j', (env, urls) => {
    expect(pulsarUrls(loadConfig(messagingFields, { env }))).toEqual(urls);
  });
});

describe('KAFKA_BROKERS', () => {
  it('takes hosts with their ports', () => {
    const { kafkaBrokers } = loadConfig(messagingFields, { env: { KAFKA_BROKERS: 'k-1.net:9092, [::1]:9093' } });
    expect(kafkaBrokers).toEqual(['k-1.net:9092', '[::1]:9093']);
  });

  it.each(['kafka', 'http://kafka:9092', 'kafka:0', 'kafka:70000'])('refuses "%s"', (broker) => {
    const load = (): unknown => loadConfig(messagingFields, { env: { KAFKA_BROKERS: `good:1,${broker}` } });
    expect(load).toThrow(`wanted is host:port, not "${broker}"`);
  });
});

describe('settings with a user and password in them', () => {
  it.each([
    ['KAFKA_BROKERS', 'joe:s3cret@kafka:9092', 'KAFKA_PASSWORD'],
    ['KAFKA_BROKERS', 'good:1,joe:s3,cret@kafka:9092', 'KAFKA_PASSWORD'],
    ['KAFKA_BROKERS', 'joe:s3"@cret@kafka:9092', 'KAFKA_PASSWORD'],
    ['PULSAR_WEB_URL', 'http://joe:s3cret@pulsar:8080', 'PULSAR_PASSWORD'],
    ['PULSAR_WEB_URL', 'http://joe:s3/cret@pulsar:8080', 'wanted is a URL'],
    ['PULSAR_WEB_URL', 'http://joe:s3@cret@pulsar:8080', 'PULSAR_PASSWORD'],
    ['PULSAR_SERVICE_URL', 'pulsar://joe:s3cret@pulsar:6650', 'PULSAR_PASSWORD'],
  ])('%s=%s is refused, and they are not shown', (name, value, advice) => {
    const load = (): unknown => loadConfig(messagingFields, { env: { [name]: value } });
    expect(load).toThrow(name);
    expect(load).toThrow(advice);
    expect(load).not.toThrow(/joe|s3|cret/);
  });
});

describe('tenantOptions', () => {
  it.each([
    [undefined, {}],
    ['acme', { tenant: 'acme', namespace: 'default' }],
    ['acme/shop-1', { tenant: 'acme', namespace: 'shop-1' }],
  ])('reads MESSAGE_BUS_TENANT=%s', (tenant, options) => {
    expect(tenantOptions(loadConfig(messagingFields, { env: { MESSAGE_BUS_TENANT: tenant } }))).toEqual(options);
  });

  it.each(['a/b/c', '/b', 'a b', 'a.b'])('refuses %s', (tenant) => {
    expect(() => loadConfig(messagingFields, { env: { MESSAGE_BUS_TENANT: tenant } })).toThrow(/MESSAGE_BUS_TENANT is/);
  });
});
