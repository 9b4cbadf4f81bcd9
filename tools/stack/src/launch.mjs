// Starts a server as a process of its own session, and the watchdog that ends it when this process is gone.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { identityOf } from './identity.mjs';

/** Spawns `command`, its output appended to `log`; it does not keep this process alive. Resolves with the identity of its process. */
export async function launch({ command, args, environment, log }) {
  const out = openSync(log, 'a');
  try {
    const child = spawn(command, args, {
      env: { ...process.env, ...environment },
      // Its own session: Ctrl-C in a terminal is for us, and we end it in order.
      detached: true,
      stdio: ['ignore', out, out],
    });
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve).once('error', reject);
    });
    child.unref();
    return identityOf(child.pid);
  } finally {
    closeSync(out);
  }
}

/**
 * Reads pids until the pipe from this process closes, which the kernel does even after SIGKILL; then kills the last of them if it still is
 * the server, and removes a throwaway folder. A shell: it takes 1 MB.
 */
const script = `pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  if [ -d /proc/self ]; then line=$(tr '\\0' ' ' < "/proc/$pid/cmdline"); else line=$(ps -ww -o command= -p "$pid"); fi
  case "$line" in *"$1"*) kill -KILL "$pid"; sleep 0.3;; esac
fi
[ -z "$2" ] || rm -rf -- "$2"`;

/**
 * A watchdog for one server. `mark` is part of the command line of the server and of no other process; `throwaway`, a folder, is removed
 * when this process dies.
 */
export function watchdog({ mark, throwaway = '' }) {
  const dog = spawn('sh', ['-c', script, 'bento-stack-watchdog', mark, throwaway], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Where there is no shell, the owner's `stop` is what ends the server.
  dog.on('error', () => undefined);
  dog.stdin.on('error', () => undefined);
  dog.unref();
  dog.stdin.unref();
  return {
    guard: (pid) => dog.stdin.write(`${pid}\n`),
    dismiss: () => dog.kill('SIGKILL'),
  };
}
