// Loopback ports: parsed, probed, and chosen.
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { failure, StackError } from './errors.mjs';

/** The ports that the environment fixes for a server, by the names in `variables` (`{ broker: 'STACK_KAFKA_PORT' }`). */
export function portsFromEnvironment(variables, environment = process.env) {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([port, variable]) => {
      const text = environment[variable];
      return text === undefined || text === '' ? [] : [[port, parsePort(variable, text)]];
    }),
  );
}

function parsePort(variable, text) {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535)
    throw new StackError(`stack: ${variable}="${text}" is not a port. Give a number from 1 to 65535.`);
  return port;
}

const isFree = (port) =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1' }, () => probe.close(() => resolve(true)));
  });

/** Below what the system hands out for outgoing connections: there, a client that retries while its server is down can connect to itself. */
function range() {
  let outgoing = 32_768;
  try {
    outgoing = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/)[0]);
  } catch {
    // Not Linux; its range starts higher.
  }
  return outgoing > 16_000 ? [12_000, Math.min(outgoing, 32_768)] : [12_000, 32_768];
}

async function chooseFree(taken) {
  const [from, to] = range();
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const port = randomInt(from, to);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw failure('choose ports', `no free one was found from ${from} to ${to}`, 'Stop what holds them.');
}

/**
 * One port for every name in `variables`: the given one, which must be free, else a preferred one if it is free, else any free one.
 * Another process may take it before the server does: the caller then chooses again.
 */
export async function choosePorts(name, variables, { given = {}, preferred = {} } = {}) {
  const ports = {};
  const taken = new Set(Object.values(given));
  for (const [port, variable] of Object.entries(variables)) {
    const wanted = given[port];
    if (wanted !== undefined) {
      if (!(await isFree(wanted))) throw portTaken(name, port, wanted, variable);
      ports[port] = wanted;
    } else {
      const known = preferred[port];
      ports[port] = known !== undefined && !taken.has(known) && (await isFree(known)) ? known : await chooseFree(taken);
    }
    taken.add(ports[port]);
  }
  return ports;
}

export const portTaken = (name, port, number, variable) =>
  Object.assign(
    failure(
      `start "${name}"`,
      `its ${port} port ${number} is taken`,
      `Stop what listens there, or choose another (ports.${port}, ${variable}).`,
    ),
    { code: 'PORT_TAKEN' },
  );
