// Certificates for one server: an authority, the server, clients, and those that must be refused.
// oxlint-disable-next-line import/no-unassigned-import -- x509 demands it, loaded first; it adds to Reflect and exports nothing.
import 'reflect-metadata';
import { createPublicKey, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 86_400_000;

/** Files by what they are; each certificate `<name>.pem` has its key, as PKCS#8, in `<name>.key.pem`. */
export const certificateFiles = (dir) => {
  const at = (name) => join(dir, `${name}.pem`);
  return {
    ca: at('ca'),
    serverCert: at('server'),
    serverKey: at('server.key'),
    serverStore: at('server.store'),
    clientCert: at('client'),
    clientKey: at('client.key'),
    powerlessCert: at('powerless'),
    powerlessKey: at('powerless.key'),
    expiredCert: at('expired'),
    expiredKey: at('expired.key'),
    strangerCa: at('stranger.ca'),
    strangerCert: at('stranger'),
    strangerKey: at('stranger.key'),
    tokenPublicKey: join(dir, 'token.public.der'),
    tokenPrivateKey: at('token.private'),
  };
};

const pem = (label, bytes) =>
  `-----BEGIN ${label}-----\n${Buffer.from(bytes)
    .toString('base64')
    .replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;

const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
const keyPem = async ({ privateKey }) => pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', privateKey));

async function authority(name) {
  const keys = await newKeys();
  const cert = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 2 * day),
    notAfter: new Date(Date.now() + 365 * day),
    extensions: [
      new BasicConstraintsExtension(true, 1, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { keys, cert };
}

async function issued(by, name, { notAfter = Date.now() + 365 * day } = {}) {
  const keys = await newKeys();
  const cert = await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: by.cert.subject,
    publicKey: keys.publicKey,
    signingKey: by.keys.privateKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 2 * day),
    notAfter: new Date(notAfter),
    extensions: [
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
      ]),
    ],
  });
  return { cert: cert.toString('pem'), key: await keyPem(keys) };
}

const write = (file, content) => writeFileSync(file, content, { mode: 0o600 });

/** Writes them unless they are there, and resolves with where they are. Keys can be read by this user alone. */
export async function ensureCertificates(dir, { admin, powerless }) {
  const files = certificateFiles(dir);
  if (existsSync(files.tokenPrivateKey)) return files;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const [ca, other] = [await authority('bento test authority'), await authority('another authority')];
  write(files.ca, `${ca.cert.toString('pem')}\n`);
  write(files.strangerCa, `${other.cert.toString('pem')}\n`);
  const server = await issued(ca, 'server');
  write(files.serverStore, `${server.key}${server.cert}\n`);
  for (const [name, { cert, key }] of Object.entries({
    server,
    client: await issued(ca, admin),
    powerless: await issued(ca, powerless),
    expired: await issued(ca, admin, { notAfter: Date.now() - day }),
    stranger: await issued(other, admin),
  })) {
    write(files[`${name}Cert`], `${cert}\n`);
    write(files[`${name}Key`], key);
  }
  const keys = await webcrypto.subtle.generateKey(
    { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2_048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
    true,
    ['sign', 'verify'],
  );
  const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey));
  write(
    files.tokenPublicKey,
    createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ format: 'der', type: 'spki' }),
  );
  write(files.tokenPrivateKey, await keyPem(keys));
  return files;
}
