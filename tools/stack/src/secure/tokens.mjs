// JSON Web Tokens, RS256, as Pulsar's token authentication takes them.
import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(key, { role, expiresInSeconds }) {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub: role, iat: now, ...(expiresInSeconds !== undefined && { exp: now + expiresInSeconds }) };
  const text = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}

/** A token by the key in a file; it never expires unless `expiresInSeconds` is given, which may be negative. */
export const tokenBy = (keyFile, options) => signed(createPrivateKey(readFileSync(keyFile)), options);

/** A token by a key that nobody knows. */
export const foreignToken = (options) =>
  signed(generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey, options);
