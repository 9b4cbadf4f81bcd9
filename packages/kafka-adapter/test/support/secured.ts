import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { startSecureKafka } from '@bento-bus/stack';
import { alterUserScramCredentialsV0, Connection } from '@platformatic/kafka';
import type { KafkaConnection, KafkaSasl } from '../../src/index.ts';

export type Secured = Awaited<ReturnType<typeof startSecureKafka>>;

/** How long a session of SCRAM-SHA-256 lasts; kafkajs proves itself again 10 s before its end. Milliseconds. */
const sessionMs = 12_000;

export const startSecured = (): Promise<Secured> =>
  startSecureKafka({
    config: { 'listener.name.saslssl.scram-sha-256.connections.max.reauth.ms': String(sessionMs) },
  });

const pem = (file: string): string => readFileSync(file, 'utf8');

/** Who signed the broker's certificate, or somebody else. */
export const trusted = ({ security }: Secured, who: 'ca' | 'strangerCa' = 'ca'): { readonly ca: string } => ({
  ca: pem(security[who]),
});

/** A certificate of this client, by the name of its files. */
export const identity = (
  { security }: Secured,
  who: 'client' | 'powerless' | 'expired' | 'stranger',
): { readonly cert: string; readonly key: string } => ({
  cert: pem(security[`${who}Cert`]),
  key: pem(security[`${who}Key`]),
});

/** With TLS and credentials. */
export const login = (
  secured: Secured,
  mechanism: KafkaSasl['mechanism'],
  { user, password }: { readonly user: string; readonly password: string },
): KafkaConnection => ({ ssl: trusted(secured), sasl: { mechanism, username: user, password } });

const scramSha256 = 1;

/** Makes a user of SCRAM-SHA-256; without a password: takes its credentials away. */
export async function setScram(secured: Secured, name: string, password?: string): Promise<void> {
  const [host = '', port = ''] = secured.ssl.split(':');
  const salt = randomBytes(16);
  const iterations = 4_096;
  const saltedPassword = pbkdf2Sync(password ?? '', salt, iterations, 32, 'sha256');
  const user = { name, mechanism: scramSha256 };
  const taken = password === undefined ? [user] : [];
  const given = password === undefined ? [] : [{ ...user, iterations, salt, saltedPassword }];
  // By callbacks: its promises need a newer Node.js.
  const connection = new Connection('test', { tls: trusted(secured) });
  await called((done) => void connection.connect(host, Number(port), done));
  await called((done) => alterUserScramCredentialsV0.api(connection, taken, given, done));
  await called((done) => connection.close(done));
}

const called = (work: (done: (error?: Error | null) => void) => void): Promise<void> =>
  new Promise((resolve, reject) => {
    work((error) => (error === null || error === undefined ? resolve() : reject(error)));
  });
