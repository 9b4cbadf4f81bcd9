// Names and passwords of a secure server: made once, in its folder.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readJson, writeJson } from '../files.mjs';
import { ensureCertificates } from './certificates.mjs';

export const securityFolder = (dir) => join(dir, 'security');
const file = (dir) => join(securityFolder(dir), 'credentials.json');

/** What may do everything and what may do nothing: users and roles. */
export const roles = { admin: 'admin', powerless: 'powerless' };

const user = (name) => ({ user: name, password: randomBytes(12).toString('base64url') });

/** Certificates by file, users with their passwords. */
export async function ensureCredentials(dir) {
  const files = await ensureCertificates(securityFolder(dir), roles);
  let known = readJson(file(dir));
  if (known === undefined) {
    known = {
      admin: user(roles.admin),
      powerless: user(roles.powerless),
      clientSecret: randomBytes(12).toString('base64url'),
    };
    writeJson(file(dir), known, 0o600);
  }
  return { files, ...known };
}

/** Of a server that was prepared. */
export const readCredentials = (dir) => readJson(file(dir));
