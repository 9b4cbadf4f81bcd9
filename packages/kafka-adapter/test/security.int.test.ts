import { inspect } from 'node:util';
import type { Diagnosing, Logger, MessagingAdmin } from '@bento-bus/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { createKafkaAdmin, type KafkaConnection, type KafkaSasl, type KafkaTransport } from '../src/index.ts';
import { connect } from './support/harness.ts';
import { codeOf, eventually, message, unique } from './support/messages.ts';
import { identity, login, type Secured, setScram, startSecured, trusted } from './support/secured.ts';

let secured: Secured;
/** Made for one test. */
const shortLived = 'short-lived-S3cret';
/** Not that of anybody. */
const wrong = { user: 'admin', password: 'wrong-S3cret' };
const opened: { close(): Promise<void> }[] = [];
const lines: string[] = [];
const note = (text: string, fields?: unknown): void => void lines.push(`${text} ${inspect(fields, { depth: 20 })}`);
const logger: Logger = { debug: note, info: note, warn: note, error: note };

/** What a client is given, by what it is told the cluster is. */
type Given = () => { readonly brokers: string; readonly connection?: KafkaConnection };

const open = (given: Given): KafkaTransport => {
  const { brokers, connection = {} } = given();
  const transport = connect(brokers, { connection, logger });
  opened.push(transport);
  return transport;
};
const openAdmin = (given: Given): MessagingAdmin & Diagnosing => {
  const admin = createKafkaAdmin({ ...given(), logger });
  opened.push(admin);
  return admin;
};

const withSasl =
  (
    mechanism: KafkaSasl['mechanism'],
    who: 'admin' | 'powerless' | { readonly user: string; readonly password: string },
  ): Given =>
  () => ({
    brokers: secured.saslssl,
    connection: login(secured, mechanism, typeof who === 'string' ? secured.security[who] : who),
  });
const withCert =
  (who: 'client' | 'powerless' | 'expired' | 'stranger'): Given =>
  () => ({ brokers: secured.mutual, connection: { ssl: { ...trusted(secured), ...identity(secured, who) } } });
/** By the listener that asks clients for nothing, and lets them do everything. */
const withTls: Given = () => ({ brokers: secured.ssl, connection: { ssl: trusted(secured) } });

/** No secret, wherever somebody may look. */
function expectNoSecret(...seen: readonly unknown[]): void {
  const text =
    seen.map((one) => inspect(one, { depth: 20, showHidden: true }) + String(one)).join('\n') + lines.join('\n');
  expect(text).not.toMatch(/S3cret|PRIVATE KEY/);
  const { admin, powerless } = secured.security;
  const encodings = (['utf8', 'base64', 'hex'] as const).flatMap((encoding) =>
    [admin, powerless].map(({ password }) => Buffer.from(password).toString(encoding).slice(0, 14)),
  );
  expect(encodings.filter((one) => text.includes(one))).toEqual([]);
}

beforeAll(async () => {
  secured = await startSecured();
}, 60_000);
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
  expectNoSecret();
  lines.length = 0;
});
afterAll(async () => {
  await secured.stop();
}, 30_000);

describe('with what the broker demands', () => {
  const access: Readonly<Record<string, Given>> = {
    TLS: withTls,
    'mutual TLS': withCert('client'),
    'SASL PLAIN': withSasl('plain', 'admin'),
    'SASL SCRAM-SHA-256': withSasl('scram-sha-256', 'admin'),
    'SASL SCRAM-SHA-512': withSasl('scram-sha-512', 'admin'),
    'SASL without TLS': () => {
      const { sasl } = login(secured, 'plain', secured.security.admin);
      return { brokers: secured.saslplain, connection: { sasl: sasl as KafkaSasl } };
    },
  };
  for (const [name, given] of Object.entries(access))
    it(`publishes, consumes and administrates: ${name}`, async () => {
      const [transport, admin, topic] = [open(given), openAdmin(given), unique('secure')];
      const handled: string[] = [];
      await transport.subscribe([topic], async ({ message: { id } }) => void handled.push(id), {
        group: unique('group'),
      });
      await transport.publish(topic, [message({ id: 'one' })]);
      await eventually('handling it', () => handled.length === 1);
      expect(await admin.listTopics({ prefix: topic })).toEqual([topic]);
      const log = await transport.openCheckpointed(unique('log'), { topics: [topic] });
      await log.close();
      expectNoSecret(transport, admin, JSON.stringify(transport), JSON.stringify(admin));
    }, 20_000);
});

describe('without it', () => {
  const refused: Readonly<Record<string, readonly [Given, code: string, advice: RegExp]>> = {
    'a wrong password': [withSasl('plain', wrong), 'AUTHENTICATION', /connection\.sasl/],
    'a wrong password of SCRAM': [withSasl('scram-sha-256', wrong), 'AUTHENTICATION', /connection\.sasl/],
    'an unknown user': [
      withSasl('scram-sha-512', { user: 'mallory', password: 'wrong-S3cret' }),
      'AUTHENTICATION',
      /connection\.sasl/,
    ],
    'no credentials': [
      () => ({ brokers: secured.saslssl, connection: { ssl: trusted(secured) } }),
      'AUTHENTICATION',
      /demands credentials, by .*PLAIN.* Give them as connection\.sasl/,
    ],
    'no credentials, and no TLS': [() => ({ brokers: secured.saslplain }), 'AUTHENTICATION', /demands credentials/],
    'no client certificate': [
      () => ({ brokers: secured.mutual, connection: { ssl: trusted(secured) } }),
      'AUTHENTICATION',
      /connection\.ssl\.cert/,
    ],
    'an expired client certificate': [withCert('expired'), 'AUTHENTICATION', /connection\.ssl\.cert/],
    'a client certificate of somebody unknown': [withCert('stranger'), 'AUTHENTICATION', /connection\.ssl\.cert/],
    'a broker signed by somebody unknown': [
      () => ({ brokers: secured.ssl, connection: { ssl: trusted(secured, 'strangerCa') } }),
      'AUTHENTICATION',
      /connection\.ssl\.ca/,
    ],
    'a broker by another name': [
      () => ({ brokers: secured.ssl, connection: { ssl: { ...trusted(secured), servername: 'elsewhere' } } }),
      'AUTHENTICATION',
      /connection\.ssl\.servername/,
    ],
    'no TLS where the broker speaks nothing else': [
      () => ({ brokers: secured.ssl }),
      'CONFIGURATION',
      /Set connection\.ssl/,
    ],
    'credentials where the broker asks for none': [
      () => ({ brokers: secured.ssl, connection: login(secured, 'plain', secured.security.admin) }),
      'CONFIGURATION',
      /leave connection\.sasl out/,
    ],
  };
  for (const [name, [given, code, advice]] of Object.entries(refused))
    it(`says so within seconds: ${name}`, async () => {
      const [transport, admin] = [open(given), openAdmin(given)];
      const begun = Date.now();
      const outcomes = await Promise.allSettled([
        transport.publish('refused', [message()]),
        transport.subscribe(['refused'], async () => {}, { group: 'refused' }),
        transport.openCheckpointed('refused', { topics: ['refused'] }),
        admin.listTopics(),
        admin.describeGroup('refused', 'refused'),
      ]);
      const errors = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined) as Error);
      expect(errors.map((error) => (error as { readonly code?: string }).code)).toEqual(errors.map(() => code));
      for (const error of errors) expect(error.message).toMatch(advice);
      for (const error of errors) expect(error.message).toMatch(/^kafka-adapter: cannot [^\n]+$/);
      expect(Date.now() - begun).toBeLessThan(5_000);
      expectNoSecret(...errors);
    }, 20_000);
});

const client = (): Kafka => new Kafka({ brokers: [secured.ssl], ssl: trusted(secured), logLevel: logLevel.NOTHING });
const acl = (
  resourceType: AclResourceTypes,
  resourceName: string,
  operation: AclOperationTypes,
  user = 'powerless',
) => ({
  resourceType,
  resourceName,
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal: `User:${user}`,
  host: '*',
  operation,
  permissionType: AclPermissionTypes.ALLOW,
});
const grant = async (...entries: readonly ReturnType<typeof acl>[]): Promise<void> => {
  const admin = client().admin();
  await admin.connect();
  await admin.createAcls({ acl: [...entries] });
  await admin.disconnect();
};
const withdraw = async (...entries: readonly ReturnType<typeof acl>[]): Promise<void> => {
  const admin = client().admin();
  await admin.connect();
  await admin.deleteAcls({ filters: [...entries] });
  await admin.disconnect();
};

describe('a user who may not', () => {
  const powerless = withSasl('plain', 'powerless');
  it('is told that it may not: publish, subscribe, open a log, administrate', async () => {
    const [transport, admin] = [open(powerless), openAdmin(powerless)];
    const [topic, group] = [unique('forbidden'), unique('group')];
    const root = openAdmin(withTls);
    await root.createTopic(topic);
    await root.createGroup(topic, group);
    const attempts = {
      publish: transport.publish(topic, [message()]),
      'publish to a topic that is not there': transport.publish(unique('missing'), [message()]),
      subscribe: transport.subscribe([topic], async () => {}, { group }),
      openCheckpointed: transport.openCheckpointed(unique('log'), { topics: [topic] }),
      createTopic: admin.createTopic(unique('new')),
      deleteTopic: admin.deleteTopic(topic),
      describeTopic: admin.describeTopic(topic),
      setPartitions: admin.setPartitions(topic, 9),
      configureTopic: admin.configureTopic(topic, { 'retention.ms': '1000' }),
      createGroup: admin.createGroup(topic, unique('new')),
      listGroups: admin.listGroups(topic),
      describeGroup: admin.describeGroup(topic, group),
      peek: admin.peek(topic, group),
      skip: admin.skip(topic, group, 1),
      reset: admin.reset(topic, group, 'earliest'),
      deleteGroup: admin.deleteGroup(group, [topic]),
    };
    const codes = await Promise.all(Object.values(attempts).map(codeOf));
    expect(Object.fromEntries(Object.keys(attempts).map((name, index) => [name, codes[index]]))).toEqual(
      Object.fromEntries(Object.keys(attempts).map((name) => [name, 'AUTHORIZATION'])),
    );
    // Topics that it may not see are not there for it.
    expect(await admin.listTopics({ prefix: topic })).toEqual([]);
  }, 20_000);

  it('is told so where it may see the topic, and neither write nor read it in this group', async () => {
    const [transport, admin] = [open(powerless), openAdmin(powerless)];
    const [topic, group] = [unique('seen'), unique('group')];
    await openAdmin(withTls).createTopic(topic);
    await grant(acl(AclResourceTypes.TOPIC, topic, AclOperationTypes.DESCRIBE));
    // Its settings are more than that.
    expect(await codeOf(admin.describeTopic(topic))).toBe('AUTHORIZATION');
    expect(await codeOf(transport.publish(topic, [message()]))).toBe('AUTHORIZATION');
    await grant(acl(AclResourceTypes.TOPIC, topic, AclOperationTypes.READ));
    expect(await codeOf(transport.subscribe([topic], async () => {}, { group }))).toBe('AUTHORIZATION');
  }, 20_000);

  it('is told so too where a certificate says who it is', async () => {
    const [transport, admin] = [open(withCert('powerless')), openAdmin(withCert('powerless'))];
    expect(await codeOf(transport.publish(unique('forbidden'), [message()]))).toBe('AUTHORIZATION');
    expect(await codeOf(admin.createTopic(unique('forbidden')))).toBe('AUTHORIZATION');
  }, 20_000);

  it('has its subscription ended when a right is withdrawn', async () => {
    const [topic, group] = [unique('withdrawn'), unique('group')];
    await openAdmin(withTls).createTopic(topic);
    const rights = [
      acl(AclResourceTypes.TOPIC, topic, AclOperationTypes.READ),
      acl(AclResourceTypes.GROUP, group, AclOperationTypes.READ),
    ];
    await grant(...rights);
    const handled: string[] = [];
    const subscription = await open(powerless).subscribe(
      [topic],
      async ({ message: { id } }) => void handled.push(id),
      { group },
    );
    await open(withTls).publish(topic, [message({ id: 'one' })]);
    await eventually('handling it', () => handled.length === 1);
    await withdraw(...rights);
    expect(await codeOf(subscription.closed)).toBe('AUTHORIZATION');
  }, 20_000);

  it('has its subscription ended when its credentials are taken away', async () => {
    const [user, topic, group] = [unique('user'), unique('fired'), unique('group')];
    await setScram(secured, user, shortLived);
    await openAdmin(withTls).createTopic(topic);
    await grant(
      acl(AclResourceTypes.TOPIC, topic, AclOperationTypes.ALL, user),
      acl(AclResourceTypes.GROUP, group, AclOperationTypes.ALL, user),
    );
    const transport = open(withSasl('scram-sha-256', { user, password: shortLived }));
    const handled: string[] = [];
    const subscription = await transport.subscribe([topic], async ({ message: { id } }) => void handled.push(id), {
      group,
    });
    await transport.publish(topic, [message({ id: 'one' })]);
    await eventually('handling it', () => handled.length === 1);
    await setScram(secured, user);
    // Proofs are asked for anew every few seconds.
    const failure = await subscription.closed.catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'AUTHENTICATION' });
    expect(await codeOf(transport.publish(topic, [message()]))).toBe('AUTHENTICATION');
    expectNoSecret(failure);
  }, 30_000);
});

describe('diagnosis', () => {
  it('tells missing and wrong credentials from a user that may not look, and from one that may', async () => {
    const complaints = async (given: Given): Promise<Record<string, string>> => {
      const findings = await openAdmin(given).diagnose();
      expectNoSecret(findings);
      const bad = findings.filter(({ level }) => level !== 'ok');
      return Object.fromEntries(bad.map(({ check, level }) => [check, level]));
    };
    expect(await complaints(() => ({ brokers: secured.saslplain }))).toEqual({ 'kafka: credentials': 'fault' });
    expect(await complaints(withSasl('scram-sha-256', wrong))).toEqual({ 'kafka: credentials': 'fault' });
    expect(await complaints(withCert('expired'))).toEqual({ 'kafka: credentials': 'fault' });
    expect(await complaints(withSasl('scram-sha-512', 'powerless'))).toEqual({ 'kafka: settings': 'warning' });
    expect(await complaints(withSasl('scram-sha-512', 'admin'))).toEqual({});
    const { sasl } = login(secured, 'plain', secured.security.admin);
    const inTheClear: Given = () => ({ brokers: secured.saslplain, connection: { sasl: sasl as KafkaSasl } });
    expect(await complaints(inTheClear)).toEqual({ 'kafka: credentials': 'warning' });
  }, 30_000);
});
