// One project's suite against servers, watched: one that hangs is ended, and says where it hung.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { testsAreOver } from '../jest-reporter.mjs';

/** How long a process may stay when its tests are over. */
const graceMs = 30_000;

/**
 * Runs `npm run test:brokers` in `path`, its output passed on. Resolves with the exit code, the end of the output and, if it had to be
 * stopped, `stopped`: lines that say why and where it was. `leftOpen`: its tests were over, only its process stayed.
 */
export async function runSuite(path, env, limitMs) {
  const folder = mkdtempSync(join(tmpdir(), 'bento-suite-'));
  const reports = `--report-on-signal --report-signal=SIGUSR2 --report-directory=${folder}`;
  const child = spawn('npm', ['run', '--silent', 'test:brokers'], {
    cwd: path,
    env: { ...env, SUITE_AT: folder, NODE_OPTIONS: `${env.NODE_OPTIONS ?? ''} ${reports}`.trim() },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ])
    from.setEncoding('utf8').on('data', (text) => {
      output = `${output}${text}`.slice(-20_000);
      to.write(text);
    });
  const ended = new AbortController();
  const watching = watch(child, folder, limitMs, ended.signal);
  const code = await new Promise((settle) => {
    child.on('error', (error) => console.error(error.message));
    child.on('close', settle);
  });
  ended.abort();
  const { stopped, leftOpen } = await watching;
  rmSync(folder, { recursive: true, force: true });
  return { code, output, stopped, leftOpen };
}

/** Until the child has ended; stops it when it takes too long. */
async function watch(child, folder, limitMs, ended) {
  const begin = performance.now();
  let overSince;
  for (;;) {
    await sleep(1_000, undefined, { signal: ended }).catch(() => {});
    if (ended.aborted) return { stopped: [], leftOpen: false };
    const now = performance.now();
    const places = placesOf(folder);
    const isOver = places.length > 0 && places.every((place) => place === testsAreOver);
    overSince = isOver ? (overSince ?? now) : undefined;
    const leftOpen = overSince !== undefined && now - overSince > graceMs;
    if (!leftOpen && now - begin < limitMs) continue;
    const why = leftOpen
      ? `something is left open, the process stayed for ${graceMs / 1_000} s after its tests`
      : `took longer than ${limitMs / 1_000} s`;
    const reports = await reportsOf(child.pid, folder);
    // It has just found its end.
    if (ended.aborted) return { stopped: [], leftOpen: false };
    const stopped = [`stopped: ${why}`, ...places.map((place) => `  it was at ${place}`), ...reports];
    console.error(stopped.join('\n'));
    if (child.pid !== undefined) send(-child.pid, 'SIGKILL');
    return { stopped, leftOpen };
  }
}

function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** By process; where each is. */
const placesOf = (folder) => numbersIn(folder).map((name) => readFileSync(join(folder, name), 'utf8'));

/** What the jest processes of a group do, as far as they tell within 3 s. Nothing where there is no /proc. */
async function reportsOf(group, folder) {
  for (const pid of jestOf(group)) send(pid, 'SIGUSR2');
  await sleep(3_000);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => toldBy(join(folder, name)));
}

/** The top of a process's stack, and what keeps it. */
function toldBy(file) {
  try {
    const { header, javascriptStack, libuv } = JSON.parse(readFileSync(file, 'utf8'));
    const kept = new Set(libuv.filter((handle) => handle.is_active && handle.is_referenced).map(handleOf));
    const stack = javascriptStack?.stack ?? [];
    const keepers = Array.from(kept, (handle) => `kept by ${handle}`);
    const told = stack.slice(0, 12).concat(keepers.slice(0, 20));
    return `  process ${header.processId}:\n${told.map((line) => `    ${line}`).join('\n')}`;
  } catch (error) {
    // Node.js was not done with it.
    return `  a report that cannot be read: ${error.message}`;
  }
}

const handleOf = ({ type, pid, localEndpoint, remoteEndpoint, firesInMsFromNow, fd }) =>
  [
    type,
    pid && `pid ${pid}`,
    localEndpoint && `${localEndpoint.host}:${localEndpoint.port}`,
    remoteEndpoint && `to ${remoteEndpoint.host}:${remoteEndpoint.port}`,
    firesInMsFromNow && `in ${firesInMsFromNow} ms`,
    type === 'pipe' && fd && `fd ${fd}`,
  ]
    .filter(Boolean)
    .join(' ');

function jestOf(group) {
  const found = [];
  for (const name of numbersIn('/proc')) {
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      // Not the shell above it: it would end by this signal.
      const isJest = /^\S*node\0.*\/jest/.test(readFileSync(`/proc/${name}/cmdline`, 'utf8'));
      if (Number(fields[2]) === group && isJest) found.push(Number(name));
    } catch {
      // It has ended.
    }
  }
  return found;
}

function numbersIn(folder) {
  try {
    return readdirSync(folder).filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
