// Which process a pid stands for: a pid is used again, and `kill -0` succeeds on a zombie.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const linux = existsSync('/proc/self/stat');

/** State and start time of a process; `undefined` if there is none. */
function statOf(pid) {
  try {
    if (linux) {
      // The name of the program may hold spaces and brackets: count from its closing one.
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return { state: fields[0], started: fields[19] };
    }
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return { state: text[0], started: text.slice(text.indexOf(' ')).trim() };
  } catch {
    return undefined;
  }
}

/** What to record of a process, for `isAlive` to know it again. */
export const identityOf = (pid) => ({ pid, started: statOf(pid)?.started });

/** A zombie holds ports and files until its last thread is gone. */
const isZombie = (pid) => {
  if (!linux) return true;
  try {
    return readdirSync(`/proc/${pid}/task`).length <= 1;
  } catch {
    return true;
  }
};

/** Whether exactly this process still runs. */
export function isAlive({ pid, started } = {}) {
  if (!Number.isInteger(pid) || typeof started !== 'string') return false;
  const now = statOf(pid);
  return now !== undefined && now.started === started && !(now.state === 'Z' && isZombie(pid));
}

/** Sends a signal to exactly this process; false if it is gone. */
export function send(identity, signal) {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}
