import { readFileSync } from 'node:fs';
import { configurationError } from '@bento-bus/core';
import { type Field, field } from './fields.ts';
import type { Secret } from './secret.ts';

/** How this program proves to a broker who it is. Files are PEM. */
export const securityFields: {
  readonly pulsarToken: Field<Secret>;
  readonly pulsarUsername: Field<string>;
  readonly pulsarPassword: Field<Secret>;
  readonly pulsarOauth2IssuerUrl: Field<string>;
  readonly pulsarOauth2ClientId: Field<string>;
  readonly pulsarOauth2ClientSecret: Field<Secret>;
  readonly pulsarOauth2Audience: Field<string>;
  readonly pulsarTlsCaFile: Field<string>;
  readonly pulsarTlsCertFile: Field<string>;
  readonly pulsarTlsKeyFile: Field<string>;
  readonly kafkaTls: Field<boolean>;
  readonly kafkaTlsCaFile: Field<string>;
  readonly kafkaTlsCertFile: Field<string>;
  readonly kafkaTlsKeyFile: Field<string>;
  readonly kafkaSaslMechanism: Field<'plain' | 'scram-sha-256' | 'scram-sha-512'>;
  readonly kafkaUsername: Field<string>;
  readonly kafkaPassword: Field<Secret>;
} = {
  pulsarToken: field.secret({ env: 'PULSAR_TOKEN', path: 'pulsar.token', about: 'Token for Pulsar.' }),
  pulsarUsername: field.string({
    env: 'PULSAR_USERNAME',
    path: 'pulsar.username',
    about: 'User of basic authentication.',
  }),
  pulsarPassword: field.secret({ env: 'PULSAR_PASSWORD', path: 'pulsar.password', about: 'Password of that user.' }),
  pulsarOauth2IssuerUrl: field.url(['https', 'http'], {
    env: 'PULSAR_OAUTH2_ISSUER_URL',
    path: 'pulsar.oauth2.issuerUrl',
    about: 'Issuer of tokens by client credentials (OAuth2).',
  }),
  pulsarOauth2ClientId: field.string({
    env: 'PULSAR_OAUTH2_CLIENT_ID',
    path: 'pulsar.oauth2.clientId',
    about: 'Client at that issuer.',
  }),
  pulsarOauth2ClientSecret: field.secret({
    env: 'PULSAR_OAUTH2_CLIENT_SECRET',
    path: 'pulsar.oauth2.clientSecret',
    about: 'Secret of that client.',
  }),
  pulsarOauth2Audience: field.string({
    env: 'PULSAR_OAUTH2_AUDIENCE',
    path: 'pulsar.oauth2.audience',
    about: 'Whom the tokens are for.',
  }),
  pulsarTlsCaFile: field.string({
    env: 'PULSAR_TLS_CA_FILE',
    path: 'pulsar.tls.caFile',
    about: "Who may have signed Pulsar's certificate. Not set: the authorities that Node.js trusts.",
  }),
  pulsarTlsCertFile: field.string({
    env: 'PULSAR_TLS_CERT_FILE',
    path: 'pulsar.tls.certFile',
    about: 'Certificate of this client.',
  }),
  pulsarTlsKeyFile: field.string({ env: 'PULSAR_TLS_KEY_FILE', path: 'pulsar.tls.keyFile', about: 'Its private key.' }),
  kafkaTls: field.boolean({
    env: 'KAFKA_TLS',
    path: 'kafka.tls.enabled',
    about: 'Connect to Kafka by TLS. Not set: where one of the files below is.',
  }),
  kafkaTlsCaFile: field.string({
    env: 'KAFKA_TLS_CA_FILE',
    path: 'kafka.tls.caFile',
    about: "Who may have signed the brokers' certificates. Not set: the authorities that Node.js trusts.",
  }),
  kafkaTlsCertFile: field.string({
    env: 'KAFKA_TLS_CERT_FILE',
    path: 'kafka.tls.certFile',
    about: 'Certificate of this client.',
  }),
  kafkaTlsKeyFile: field.string({ env: 'KAFKA_TLS_KEY_FILE', path: 'kafka.tls.keyFile', about: 'Its private key.' }),
  kafkaSaslMechanism: field.oneOf(['plain', 'scram-sha-256', 'scram-sha-512'], {
    env: 'KAFKA_SASL_MECHANISM',
    path: 'kafka.sasl.mechanism',
    about: 'How the user below is proven.',
  }),
  kafkaUsername: field.string({ env: 'KAFKA_USERNAME', path: 'kafka.sasl.username', about: 'User of SASL.' }),
  kafkaPassword: field.secret({ env: 'KAFKA_PASSWORD', path: 'kafka.sasl.password', about: 'Password of that user.' }),
};

/** Values of {@link securityFields}. */
export interface SecurityConfig {
  readonly pulsarToken?: Secret | undefined;
  readonly pulsarUsername?: string | undefined;
  readonly pulsarPassword?: Secret | undefined;
  readonly pulsarOauth2IssuerUrl?: string | undefined;
  readonly pulsarOauth2ClientId?: string | undefined;
  readonly pulsarOauth2ClientSecret?: Secret | undefined;
  readonly pulsarOauth2Audience?: string | undefined;
  readonly pulsarTlsCaFile?: string | undefined;
  readonly pulsarTlsCertFile?: string | undefined;
  readonly pulsarTlsKeyFile?: string | undefined;
  readonly kafkaTls?: boolean | undefined;
  readonly kafkaTlsCaFile?: string | undefined;
  readonly kafkaTlsCertFile?: string | undefined;
  readonly kafkaTlsKeyFile?: string | undefined;
  readonly kafkaSaslMechanism?: 'plain' | 'scram-sha-256' | 'scram-sha-512' | undefined;
  readonly kafkaUsername?: string | undefined;
  readonly kafkaPassword?: Secret | undefined;
}

/** What `createPulsarTransport` and `createPulsarAdmin` take. */
export interface PulsarSecuritySettings {
  readonly authentication?:
    | { readonly type: 'token'; readonly token: string }
    | { readonly type: 'basic'; readonly user: string; readonly password: string }
    | {
        readonly type: 'oauth2';
        readonly issuerUrl: string;
        readonly clientId: string;
        readonly clientSecret: string;
        readonly audience?: string;
      };
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

/** Options of security for Pulsar. Throws one `CONFIGURATION` error for what does not fit together or cannot be read. */
export function pulsarSecurity(config: SecurityConfig): PulsarSecuritySettings {
  const faults: string[] = [];
  const { pulsarToken, pulsarUsername, pulsarPassword, pulsarOauth2IssuerUrl, pulsarOauth2Audience } = config;
  const { pulsarOauth2ClientId, pulsarOauth2ClientSecret } = config;
  const ways = {
    PULSAR_TOKEN: pulsarToken,
    PULSAR_USERNAME: pulsarUsername,
    PULSAR_OAUTH2_ISSUER_URL: pulsarOauth2IssuerUrl,
  };
  const chosen = Object.entries(ways).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (chosen.length > 1) faults.push(`set one of ${chosen.join(', ')}`);
  if ((pulsarUsername === undefined) !== (pulsarPassword === undefined))
    faults.push('PULSAR_USERNAME and PULSAR_PASSWORD come together');
  const oauth2 = [pulsarOauth2IssuerUrl, pulsarOauth2ClientId, pulsarOauth2ClientSecret];
  if (oauth2.some((one) => one !== undefined) && oauth2.includes(undefined))
    faults.push('PULSAR_OAUTH2_ISSUER_URL, PULSAR_OAUTH2_CLIENT_ID and PULSAR_OAUTH2_CLIENT_SECRET come together');
  const tls = filesOf(
    {
      ca: ['PULSAR_TLS_CA_FILE', config.pulsarTlsCaFile],
      cert: ['PULSAR_TLS_CERT_FILE', config.pulsarTlsCertFile],
      key: ['PULSAR_TLS_KEY_FILE', config.pulsarTlsKeyFile],
    },
    faults,
  );
  fail('Pulsar', faults);
  const secured = Object.keys(tls).length > 0 ? { tls } : {};
  if (pulsarToken !== undefined) return { ...secured, authentication: { type: 'token', token: pulsarToken.reveal() } };
  if (pulsarUsername !== undefined && pulsarPassword !== undefined)
    return { ...secured, authentication: { type: 'basic', user: pulsarUsername, password: pulsarPassword.reveal() } };
  if (
    pulsarOauth2IssuerUrl === undefined ||
    pulsarOauth2ClientId === undefined ||
    pulsarOauth2ClientSecret === undefined
  )
    return secured;
  return {
    ...secured,
    authentication: {
      type: 'oauth2',
      issuerUrl: pulsarOauth2IssuerUrl,
      clientId: pulsarOauth2ClientId,
      clientSecret: pulsarOauth2ClientSecret.reveal(),
      ...(pulsarOauth2Audience !== undefined && { audience: pulsarOauth2Audience }),
    },
  };
}

/** What `createKafkaTransport` and `createKafkaAdmin` take as `connection`. */
export interface KafkaSecuritySettings {
  readonly ssl?: boolean | { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
}

/** Options of security for Kafka. Throws one `CONFIGURATION` error for what does not fit together or cannot be read. */
export function kafkaSecurity(config: SecurityConfig): KafkaSecuritySettings {
  const faults: string[] = [];
  const { kafkaTls, kafkaSaslMechanism: mechanism, kafkaUsername: username, kafkaPassword } = config;
  const sasl = [mechanism, username, kafkaPassword];
  if (sasl.some((one) => one !== undefined) && sasl.includes(undefined))
    faults.push('KAFKA_SASL_MECHANISM, KAFKA_USERNAME and KAFKA_PASSWORD come together');
  const tls = filesOf(
    {
      ca: ['KAFKA_TLS_CA_FILE', config.kafkaTlsCaFile],
      cert: ['KAFKA_TLS_CERT_FILE', config.kafkaTlsCertFile],
      key: ['KAFKA_TLS_KEY_FILE', config.kafkaTlsKeyFile],
    },
    faults,
  );
  const hasFiles = Object.keys(tls).length > 0;
  if (kafkaTls === false && hasFiles) faults.push('KAFKA_TLS is false, and files of TLS are set');
  fail('Kafka', faults);
  const ssl = hasFiles ? tls : (kafkaTls ?? false);
  return {
    ssl,
    ...(mechanism !== undefined &&
      username !== undefined &&
      kafkaPassword !== undefined && { sasl: { mechanism, username, password: kafkaPassword.reveal() } }),
  };
}

type Files = Readonly<Record<'ca' | 'cert' | 'key', readonly [variable: string, file: string | undefined]>>;

/** The contents; what is wrong goes to `faults`. */
function filesOf(
  files: Files,
  faults: string[],
): { readonly ca?: string; readonly cert?: string; readonly key?: string } {
  const found: Record<string, string> = {};
  for (const [name, [variable, file]] of Object.entries(files)) {
    if (file === undefined) continue;
    try {
      found[name] = readFileSync(file, 'utf8');
    } catch (error) {
      faults.push(`${variable}: "${file}" cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
    }
  }
  if ((files.cert[1] === undefined) !== (files.key[1] === undefined))
    faults.push(`${files.cert[0]} and ${files.key[0]} come together`);
  return found;
}

function fail(what: string, faults: readonly string[]): void {
  if (faults.length > 0) throw configurationError(`runtime: cannot connect to ${what}`, faults);
}
