// Kafka that demands proofs: no listener lets in who shows none, but `ssl`, which takes anybody who trusts its certificate.
import { ensureCredentials, securityFolder } from '../secure/credentials.mjs';
import { kafka } from './kafka.mjs';

const loopback = '127.0.0.1';
const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
/** Names of listeners are part of settings' names, in lower case. */
const listeners = { ssl: 'SSL', mutual: 'SSL', saslssl: 'SASL_SSL', saslplain: 'SASL_PLAINTEXT' };

const urls = (ports) => Object.keys(listeners).map((name) => `${name.toUpperCase()}://${loopback}:${ports[name]}`);

function settingsOf(ports, { files, admin, powerless }) {
  const users = [admin, powerless].map(({ user, password }) => `user_${user}="${password}"`).join(' ');
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`;
  return {
    listeners: [...urls(ports), `CONTROLLER://${loopback}:${ports.controller}`].join(','),
    'advertised.listeners': urls(ports).join(','),
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT',
      ...Object.entries(listeners).map(([name, protocol]) => `${name.toUpperCase()}:${protocol}`),
    ].join(','),
    // Itself it reaches with its own certificate.
    'inter.broker.listener.name': 'MUTUAL',
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': files.serverStore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': files.ca,
    'listener.name.mutual.ssl.client.auth': 'required',
    'ssl.principal.mapping.rules': 'RULE:^CN=(.*?)$/$1/,DEFAULT',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...Object.fromEntries(
      ['saslssl', 'saslplain'].flatMap((name) => [
        [`listener.name.${name}.plain.sasl.jaas.config`, plain],
        [`listener.name.${name}.scram-sha-256.sasl.jaas.config`, scram],
        [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, scram],
      ]),
    ),
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found': false,
    // ANONYMOUS: the controller's listener, and clients of `ssl`.
    'super.users': `User:ANONYMOUS;User:server;User:${admin.user}`,
  };
}

/** @type {import('../kind.mjs').Kind} */
export const kafkaSecure = {
  ...kafka,
  name: 'kafka-secure',
  base: kafka,
  ports: {
    ...Object.fromEntries(Object.keys(listeners).map((name) => [name, `STACK_KAFKA_${name.toUpperCase()}_PORT`])),
    controller: 'STACK_KAFKA_SECURE_CONTROLLER_PORT',
  },
  endpoints: (ports, dir) => ({
    ...Object.fromEntries(Object.keys(listeners).map((name) => [name, `${loopback}:${ports[name]}`])),
    credentials: securityFolder(dir),
  }),

  async prepare(context) {
    const credentials = await ensureCredentials(context.dir);
    const { admin, powerless } = credentials;
    // Users of SCRAM are kept by the broker, and made when its folder is.
    const users = [admin, powerless].flatMap(({ user, password }) =>
      ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
        '--add-scram',
        `${mechanism}=[name=${user},password=${password}]`,
      ]),
    );
    return kafka.prepare({
      ...context,
      config: { ...settingsOf(context.ports, credentials), ...context.config },
      extra: { ...context.extra, formatArgs: users },
    });
  },
};
