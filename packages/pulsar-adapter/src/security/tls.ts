import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';

/** Certificates, each as PEM text or the path of a PEM file; files are read once, when the transport is made. */
export interface PulsarTls {
  /** Whom to trust. @default the authorities of Node.js (native driver: of its library) */
  readonly ca?: string;
  /** Own certificate for mutual TLS, with the chain. Needs `key`. */
  readonly cert?: string;
  /** Private key of `cert`, PKCS#8 without a passphrase. */
  readonly key?: string;
  /** Take any certificate of the broker, for anybody's name: for tries on a developer's machine only. @default false */
  readonly allowInsecure?: boolean;
}

/** For `tls.connect`: what was given, as PEM. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized?: boolean;
}

const isPem = (text: string): boolean => text.includes('-----BEGIN ');

/** Reads the files. What is wrong goes to `faults`, without a word of what is in them. */
export function resolveTls(given: PulsarTls | undefined, faults: string[]): TlsMaterial {
  if (given === undefined) return {};
  const material: { -readonly [Name in keyof TlsMaterial]: TlsMaterial[Name] } = {};
  for (const name of ['ca', 'cert', 'key'] as const) {
    const value: unknown = given[name];
    if (value === undefined) continue;
    const pem = typeof value !== 'string' ? undefined : isPem(value) ? value : readOf(value);
    if (pem !== undefined && isPem(pem)) material[name] = pem;
    else faults.push(`tls.${name} must be PEM or the path of a readable PEM file`);
  }
  if ((given.cert === undefined) !== (given.key === undefined)) faults.push('tls.cert and tls.key need each other');
  if (given.allowInsecure !== undefined && typeof given.allowInsecure !== 'boolean')
    faults.push('tls.allowInsecure must be true or false');
  if (given.allowInsecure === true) material.rejectUnauthorized = false;
  return material;
}

/** For a server that is not the broker: own authorities beside the public ones, and no certificate of ours. */
export const publicTls = ({ ca, rejectUnauthorized }: TlsMaterial): TlsMaterial => ({
  ...(ca !== undefined && { ca: [...rootCertificates, ca].join('\n') }),
  ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
});

function readOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
