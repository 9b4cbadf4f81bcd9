import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { KafkaConnection, KafkaTransport } from '../../src/index.ts';
import { connect } from '../support/harness.ts';
import { codeOf, eventually, message, unique } from '../support/messages.ts';
import { identity, login, type Secured, startSecured, trusted } from '../support/secured.ts';

// Each way in, and each refusal, once; all of `security.int.test.ts` runs on this driver in `npm run test:long`.

let secured: Secured;
const transports: KafkaTransport[] = [];
const open = (brokers: string, connection: KafkaConnection): KafkaTransport => {
  const transport = connect(brokers, { connection });
  transports.push(transport);
  return transport;
};

beforeAll(async () => {
  secured = await startSecured();
}, 90_000);
afterEach(async () => {
  await Promise.all(transports.splice(0).map((transport) => transport.close()));
});
afterAll(async () => {
  await secured.stop();
}, 30_000);

it('publishes and consumes with what the broker demands: mutual TLS, PLAIN, SCRAM', async () => {
  const { admin } = secured.security;
  const { ssl: _, ...withoutTls } = login(secured, 'plain', admin);
  const ways = [
    open(secured.mutual, { ssl: { ...trusted(secured), ...identity(secured, 'client') } }),
    open(secured.saslssl, login(secured, 'plain', admin)),
    open(secured.saslssl, login(secured, 'scram-sha-512', admin)),
    open(secured.saslplain, withoutTls),
  ];
  const topic = unique('let-in');
  const handled: string[] = [];
  for (const [index, transport] of ways.entries()) {
    await transport.subscribe([topic], async ({ message: { id } }) => void handled.push(`${index} ${id}`), {
      group: unique('group'),
    });
    await transport.publish(topic, [message({ id: `by ${index}` })]);
    await eventually('handling it', () => handled.includes(`${index} by ${index}`));
  }
  expect(handled.length).toBeGreaterThanOrEqual(ways.length);
});

it('says within seconds what is wrong', async () => {
  const wrong = { user: secured.security.admin.user, password: 'wrong' };
  const cases: readonly (readonly [string, KafkaConnection, string])[] = [
    [secured.saslssl, login(secured, 'plain', wrong), 'AUTHENTICATION'],
    [secured.saslssl, login(secured, 'scram-sha-256', wrong), 'AUTHENTICATION'],
    [secured.saslssl, { ssl: trusted(secured) }, 'AUTHENTICATION'],
    [secured.mutual, { ssl: trusted(secured) }, 'AUTHENTICATION'],
    [secured.ssl, { ssl: trusted(secured, 'strangerCa') }, 'AUTHENTICATION'],
    [secured.ssl, {}, 'CONFIGURATION'],
  ];
  const begun = Date.now();
  for (const [brokers, connection, code] of cases) {
    const topic = unique('refused');
    expect([
      brokers,
      await codeOf(open(brokers, connection).subscribe([topic], async () => {}, { group: 'g' })),
    ]).toEqual([brokers, code]);
  }
  expect(Date.now() - begun).toBeLessThan(10_000);
});
