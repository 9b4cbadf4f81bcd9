// Pulsar that demands proofs, on its plain ports as well: token, basic, and certificates on those with TLS.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateFiles } from '../secure/certificates.mjs';
import { ensureCredentials, roles, securityFolder } from '../secure/credentials.mjs';
import { htpasswdLine } from '../secure/htpasswd.mjs';
import { tokenBy } from '../secure/tokens.mjs';
import { pulsar } from './pulsar.mjs';

const loopback = '127.0.0.1';
const provider = (name) => `org.apache.pulsar.broker.authentication.AuthenticationProvider${name}`;

function settingsOf({ brokerTls, webTls }, { files, admin }, basicFile) {
  return {
    brokerServicePortTls: brokerTls,
    webServicePortTls: webTls,
    tlsCertificateFilePath: files.serverCert,
    tlsKeyFilePath: files.serverKey,
    tlsTrustCertsFilePath: files.ca,
    // Who shows a certificate is known by it; who shows none shows something else.
    tlsRequireTrustedClientCertOnConnect: false,
    authenticationEnabled: true,
    authorizationEnabled: true,
    authenticationProviders: ['Token', 'Tls', 'Basic'].map(provider).join(','),
    authenticateOriginalAuthData: false,
    tokenPublicKey: `file://${files.tokenPublicKey}`,
    basicAuthConf: basicFile,
    superUserRoles: admin.user,
    // How the broker, its WebSocket service above all, speaks to itself.
    brokerClientAuthenticationPlugin: 'org.apache.pulsar.client.impl.auth.AuthenticationToken',
    brokerClientAuthenticationParameters: `token:${tokenBy(files.tokenPrivateKey, { role: admin.user })}`,
    // Requests that come before the broker is ready hold a thread each: with 8, five of them leave none for the TLS port to start with.
    numHttpServerThreads: 32,
    // A token that has run out ends its connection.
    authenticationRefreshCheckSeconds: 1,
  };
}

/** @type {import('../kind.mjs').Kind} */
export const pulsarSecure = {
  ...pulsar,
  name: 'pulsar-secure',
  base: pulsar,
  ports: {
    broker: 'STACK_PULSAR_SECURE_PORT',
    web: 'STACK_PULSAR_SECURE_WEB_PORT',
    bookie: 'STACK_PULSAR_SECURE_BOOKIE_PORT',
    brokerTls: 'STACK_PULSAR_TLS_PORT',
    webTls: 'STACK_PULSAR_WEB_TLS_PORT',
  },
  endpoints: (ports, dir) => ({
    ...pulsar.endpoints(ports),
    serviceUrlTls: `pulsar+ssl://${loopback}:${ports.brokerTls}`,
    webUrlTls: `https://${loopback}:${ports.webTls}`,
    credentials: securityFolder(dir),
  }),

  async prepare(context) {
    const credentials = await ensureCredentials(context.dir);
    const basicFile = join(securityFolder(context.dir), 'htpasswd');
    const lines = [credentials.admin, credentials.powerless].map(({ user, password }) => htpasswdLine(user, password));
    writeFileSync(basicFile, `${lines.join('\n')}\n`, { mode: 0o600 });
    for (const role of Object.values(roles)) {
      const token = tokenBy(credentials.files.tokenPrivateKey, { role });
      writeFileSync(join(securityFolder(context.dir), `${role}.token`), token, { mode: 0o600 });
    }
    const config = { ...settingsOf(context.ports, credentials, basicFile), ...context.config };
    return pulsar.prepare({ ...context, config });
  },

  isReady({ dir, ports, extra }) {
    const { tokenPrivateKey } = certificateFiles(securityFolder(dir));
    return pulsar.isReady({ ports, extra: { ...extra, adminToken: tokenBy(tokenPrivateKey, { role: roles.admin }) } });
  },
};
