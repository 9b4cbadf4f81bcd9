import type { Logger } from '@bento-bus/core';
import type { PemFiles } from '../security/pem-files.ts';
import type { Security } from '../security/security.ts';
import type { NativeClientConfig, NativeModule } from './load.ts';

const levels = ['debug', 'debug', 'warn', 'error'] as const;

/** What a client of pulsar-client is made with. `onLost`: its log says that a connection is lost, maybe for the credentials. */
export function clientConfig(
  native: NativeModule,
  {
    serviceUrl,
    security,
    requestTimeoutMs,
    logger,
  }: {
    readonly serviceUrl: string;
    readonly security: Security;
    readonly requestTimeoutMs: number;
    readonly logger: Logger;
  },
  { ca, cert, key }: PemFiles,
  onLost: () => void,
): NativeClientConfig {
  const given = security.binary();
  const insecure = security.tls().rejectUnauthorized === false;
  return {
    serviceUrl,
    operationTimeoutSeconds: Math.max(1, Math.ceil(requestTimeoutMs / 1_000)),
    ...(given?.type === 'token' && { authentication: new native.AuthenticationToken({ token: given.token }) }),
    ...(given?.type === 'basic' && {
      authentication: new native.AuthenticationBasic({ username: given.user, password: given.password }),
    }),
    ...(given === undefined &&
      cert !== undefined &&
      key !== undefined && {
        authentication: new native.AuthenticationTls({ certificatePath: cert, privateKeyPath: key }),
      }),
    ...(ca !== undefined && { tlsTrustCertsFilePath: ca }),
    ...(cert !== undefined && { tlsCertificateFilePath: cert }),
    ...(key !== undefined && { tlsPrivateKeyFilePath: key }),
    tlsAllowInsecureConnection: insecure,
    tlsValidateHostname: !insecure,
    log: (level, _file, _line, message) => {
      if (/Authentication|Connection disconnected/.test(message)) onLost();
      logger[levels[level] ?? 'debug'](`pulsar-adapter: pulsar-client: ${message}`);
    },
  };
}
