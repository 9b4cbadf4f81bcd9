// What the commands of `npm run stack` do with the servers in one folder.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { prepared } from './archive.mjs';
import { attach, recorded } from './attach.mjs';
import { lock } from './cache.mjs';
import { clusterPorts, startNodes, stopNodes } from './cluster.mjs';
import { endpointsFile } from './endpoints.mjs';
import { failure } from './errors.mjs';
import { writeJson } from './files.mjs';
import { kinds } from './kind.mjs';
import { portsFromEnvironment } from './ports.mjs';
import { logFile } from './server.mjs';
import { startServer } from './start.mjs';

export const cluster = 'kafka3';
/** The server that a folder belongs to: the nodes of the cluster are `kafka3-1` and so on. */
const serverOf = (name) => name.replace(/^kafka3-\d+$/, cluster);
const named = (wanted) => (entry) =>
  wanted.length === 0 || wanted.includes(entry.name) || wanted.includes(serverOf(entry.name));
const nodesOf = (folder, server) => recorded(folder).filter(({ name }) => serverOf(name) === server);

/** Starts each of `servers` that does not run yet; resolves with whether all of them run. */
export async function up(folder, servers, { say, signal }) {
  mkdirSync(folder, { recursive: true });
  const release = await lock(join(folder, 'up.lock'), 'start servers', { onProgress: say, signal });
  let ok = true;
  try {
    for (const server of servers) {
      try {
        await upOne(folder, server, { say, signal });
      } catch (error) {
        signal.throwIfAborted();
        ok = false;
        say(error.message);
      }
    }
  } finally {
    writeEndpoints(folder);
    release();
  }
  return ok;
}

async function upOne(folder, server, { say, signal }) {
  const known = nodesOf(folder, server);
  if (known.length > 0 && known.every(({ running }) => running)) return say(`${server}: already running`);
  const kind = kinds[server === cluster ? 'kafka' : server];
  const options = { detached: true, onProgress: say, signal };
  const start = performance.now();
  await prepared(kind, options);
  if (server !== cluster) {
    const ports = portsFromEnvironment(kind.ports);
    const preferredPorts = known[0]?.record.ports;
    await startServer(kind, { ...options, dir: join(folder, server), ports, preferredPorts });
  } else if (known.some(({ running }) => running)) {
    // The others know the ports of the ones that are gone.
    for (const entry of known.filter(({ running }) => !running)) await (await attach(entry, options)).restart();
  } else {
    const ports = portsFromEnvironment(clusterPorts());
    const preferredPorts = Object.fromEntries(
      known.flatMap(({ record: { ports: one, extra } }) => [
        [`broker${extra.id}`, one.broker],
        [`controller${extra.id}`, one.controller],
      ]),
    );
    const folderOf = (id) => join(folder, `${cluster}-${id}`);
    await startNodes({ ...options, name: cluster, ports, preferredPorts }, 3, folderOf);
  }
  return say(`${server}: ready after ${((performance.now() - start) / 1_000).toFixed(1)} s`);
}

/** Stops those of `wanted` that run (all, if empty); with `wipe` their data are removed. */
export async function down(folder, wanted, { say, wipe }) {
  const entries = recorded(folder).filter(named(wanted));
  const running = entries.filter((entry) => entry.running);
  if (running.length === 0) say('nothing runs');
  const nodes = running.filter(({ name }) => serverOf(name) === cluster);
  for (const entry of running.filter((one) => !nodes.includes(one))) {
    await (await attach(entry)).stop();
    say(`${entry.name}: stopped`);
  }
  if (nodes.length > 0) {
    await stopNodes(await Promise.all(nodes.map((entry) => attach(entry))));
    say(`${cluster}: stopped`);
  }
  if (wipe)
    for (const { name } of entries) {
      rmSync(join(folder, name), { recursive: true, force: true });
      say(`${name}: data removed`);
    }
  if (existsSync(folder)) writeEndpoints(folder);
}

/** `kill` or `restart` of a server, or of one node or all nodes of the cluster. */
export async function control(folder, verb, wanted, { say, signal }) {
  const entries = recorded(folder).filter(named([wanted]));
  if (entries.length === 0)
    throw failure(`${verb} "${wanted}"`, 'it was never started', `Start it: npm run stack -- up ${wanted}`);
  for (const entry of entries) {
    const server = await attach(entry, { onProgress: say, signal });
    const start = performance.now();
    await server[verb](signal);
    say(`${entry.name}: ${verb === 'kill' ? 'killed' : 'restarted'} in ${(performance.now() - start).toFixed(0)} ms`);
  }
  writeEndpoints(folder);
}

/** State of each server with a folder, and of each in `wanted`. */
export function status(folder, wanted) {
  const entries = recorded(folder).filter(named(wanted));
  const missing = wanted.filter((name) => !entries.some((entry) => named([name])(entry)));
  return [
    ...entries.map(({ name, record: { dir, endpoints, identity }, running }) =>
      running ? { name, running, pid: identity.pid, endpoints, dir } : { name, running, dir },
    ),
    ...missing.map((name) => ({ name, running: false })),
  ];
}

export function logs(folder, wanted, follow) {
  const entries = recorded(folder).filter(named([wanted]));
  if (entries.length === 0)
    throw failure(`show the log of "${wanted}"`, 'it was never started', `Start it: npm run stack -- up ${wanted}`);
  const files = entries.map(({ record }) => logFile(record.dir));
  spawnSync('tail', ['-n', '50', ...(follow ? ['-F'] : []), ...files], { stdio: 'inherit' });
}

/** Where each server of which a process runs is, for `readEndpoints`: a cluster is all its nodes. */
function writeEndpoints(folder) {
  const servers = {};
  for (const { name, record, running } of recorded(folder)) {
    const entry = (servers[serverOf(name)] ??= { endpoints: record.endpoints, processes: [] });
    if (entry.endpoints !== record.endpoints)
      entry.endpoints = { brokers: `${entry.endpoints.brokers},${record.endpoints.brokers}` };
    if (running) entry.processes.push(record.identity);
  }
  const inUse = Object.entries(servers).filter(([, { processes }]) => processes.length > 0);
  writeJson(endpointsFile(folder), Object.fromEntries(inUse));
}
