import { program } from './programs.mjs';

/** `key=value` lines of a properties file; later maps override earlier ones. */
export const properties = (...maps) =>
  Object.entries(Object.assign({}, ...maps))
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

/** Flags of every server: quiet about what it cannot do, IPv4 as the loopback address is, dead when it has no memory left. */
export const jvm = (heapMb) => [
  '-Xms64m',
  `-Xmx${heapMb}m`,
  '-Xshare:auto',
  '-XX:+ExitOnOutOfMemoryError',
  '-Djava.awt.headless=true',
  '-Djava.net.preferIPv4Stack=true',
];

export const java = (name) => program('java', `start "${name}"`);
