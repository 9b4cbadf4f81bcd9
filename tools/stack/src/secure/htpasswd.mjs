// Lines of an htpasswd file in Apache's MD5 scheme (apr1), which is what Pulsar's basic authentication reads.
// Source: https://httpd.apache.org/docs/2.4/misc/password_encryptions.html, apr_md5.c
import { createHash, randomBytes } from 'node:crypto';

const digits = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const md5 = (...parts) => {
  const hash = createHash('md5');
  for (const one of parts) hash.update(one);
  return hash.digest();
};

export function htpasswdLine(user, password, salt = randomBytes(6).toString('hex').slice(0, 8)) {
  const secret = Buffer.from(password);
  const mixed = md5(secret, salt, secret);
  const parts = [secret, '$apr1$', salt];
  for (let left = secret.length; left > 0; left -= 16) parts.push(mixed.subarray(0, Math.min(16, left)));
  for (let left = secret.length; left > 0; left >>= 1) parts.push(left & 1 ? Buffer.of(0) : secret.subarray(0, 1));
  let hash = md5(...parts);
  for (let round = 0; round < 1_000; round += 1) {
    const odd = round % 2 === 1;
    hash = md5(
      odd ? secret : hash,
      ...(round % 3 === 0 ? [] : [salt]),
      ...(round % 7 === 0 ? [] : [secret]),
      odd ? hash : secret,
    );
  }
  let text = '';
  const add = (value, count) => {
    for (let rest = value, left = count; left > 0; left -= 1, rest >>= 6) text += digits[rest & 0x3f];
  };
  for (const [a, b, c] of [
    [0, 6, 12],
    [1, 7, 13],
    [2, 8, 14],
    [3, 9, 15],
    [4, 10, 5],
  ])
    add((hash[a] << 16) | (hash[b] << 8) | hash[c], 4);
  add(hash[11], 2);
  return `${user}:$apr1$${salt}$${text}`;
}
