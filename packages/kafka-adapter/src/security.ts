import { createSecureContext } from 'node:tls';

/** A certificate or a key as PEM. */
type Pem = string | Uint8Array;

/** TLS of the connections to brokers. */
export interface KafkaTls {
  /** Who may have signed the brokers' certificates. @default those that Node.js trusts */
  readonly ca?: Pem | readonly Pem[];
  /** The certificate of this client, where brokers ask for one (mutual TLS), with its chain; it comes with `key`. @default none */
  readonly cert?: Pem | readonly Pem[];
  /** The private key of `cert`. */
  readonly key?: Pem;
  /** Of `key`, where that is encrypted. */
  readonly passphrase?: string;
  /** The name that the brokers' certificates must have. @default the host that is connected to; none where that is an IP address */
  readonly servername?: string;
  /** False: any certificate will do, and whoever is in between can read and change everything. @default true */
  readonly rejectUnauthorized?: boolean;
}

/** A user and what proves it. Without TLS, `'plain'` sends the password for everyone to read. */
export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** How brokers and this client prove who they are. For other mechanisms, give a `client`. */
export interface KafkaConnection {
  /** True: with the defaults of {@link KafkaTls}. @default false */
  readonly ssl?: boolean | KafkaTls;
  /** @default none */
  readonly sasl?: KafkaSasl;
}

const mechanisms: readonly unknown[] = ['plain', 'scram-sha-256', 'scram-sha-512'];

/** What is wrong with it. Values are not named: they may be secrets. */
export function faultsOfConnection(connection: KafkaConnection): readonly string[] {
  const faults: string[] = [];
  const { ssl = false, sasl } = connection;
  if (typeof ssl !== 'boolean') faults.push(...faultsOfTls(ssl));
  if (sasl === undefined) return faults;
  const { mechanism, username, password } = sasl as Partial<KafkaSasl>;
  if (!mechanisms.includes(mechanism))
    faults.push(`connection.sasl.mechanism must be ${mechanisms.map((one) => `'${String(one)}'`).join(' or ')}`);
  if (typeof username !== 'string' || username === '')
    faults.push('connection.sasl.username must be a name, not empty');
  if (typeof password !== 'string' || password === '') faults.push('connection.sasl.password must be text, not empty');
  return faults;
}

function faultsOfTls(ssl: KafkaTls): readonly string[] {
  if (!isObject(ssl)) return ['connection.ssl must be true, false or options of TLS'];
  if ((ssl.cert === undefined) !== (ssl.key === undefined))
    return ['connection.ssl.cert and connection.ssl.key must come together'];
  try {
    createSecureContext(tlsOf(ssl));
    return [];
  } catch (error) {
    // OpenSSL says what it is, and not what is in it.
    return [
      `connection.ssl must have certificates and keys as PEM that fit together (${(error as Error).message.trim()})`,
    ];
  }
}

/** As node:tls takes it. */
export function tlsOf({ ca, cert, key, ...rest }: KafkaTls): {
  ca?: (string | Buffer)[];
  cert?: (string | Buffer)[];
  key?: string | Buffer;
  passphrase?: string;
  servername?: string;
  rejectUnauthorized?: boolean;
} {
  return {
    ...rest,
    ...(ca !== undefined && { ca: listed(ca) }),
    ...(cert !== undefined && { cert: listed(cert) }),
    ...(key !== undefined && { key: textOrBuffer(key) }),
  };
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

const listed = (pem: Pem | readonly Pem[]): (string | Buffer)[] =>
  (typeof pem === 'string' || pem instanceof Uint8Array ? [pem] : pem).map(textOrBuffer);

const textOrBuffer = (pem: Pem): string | Buffer => (typeof pem === 'string' ? pem : Buffer.from(pem));
