// One server of any kind: its process started, stopped, killed and started again on the same data.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { failure, StackError } from './errors.mjs';
import { writeJson } from './files.mjs';
import { isAlive, send } from './identity.mjs';
import { launch, watchdog } from './launch.mjs';
import { LogFile, lastLines } from './log-file.mjs';
import { poll } from './poll.mjs';
import { choosePorts, portTaken } from './ports.mjs';

/** In the folder of a server: what started it, and its process. */
export const recordFile = (dir) => join(dir, 'server.json');
export const logFile = (dir) => join(dir, 'server.log');

const killMs = 10_000;

export class ManagedServer {
  #kind;
  #settings;
  #home;
  #identity;
  #dog;
  #throwaway;
  #stopping;
  #removed = false;

  /**
   * `settings` is what a restart needs: name, dir, ports, heapMb, config, extra, readyTimeoutMs. `home` is the folder of the fetched
   * artifact. With `watched` the server dies with this process; `identity` is that of one that already runs.
   */
  constructor(kind, settings, { home, watched = false, throwaway = false, identity } = {}) {
    this.#kind = kind;
    this.#settings = settings;
    this.#home = home;
    this.#identity = identity;
    this.#throwaway = throwaway;
    mkdirSync(settings.dir, { recursive: true });
    if (watched) this.#watch();
  }

  #watch() {
    const { dir } = this;
    this.#dog = watchdog({ mark: `${dir}/`, throwaway: this.#throwaway ? dir : '' });
  }

  get name() {
    return this.#settings.name;
  }
  get pid() {
    return this.#identity?.pid ?? 0;
  }
  get dir() {
    return this.#settings.dir;
  }
  get ports() {
    return this.#settings.ports;
  }
  get endpoints() {
    return this.#kind.endpoints(this.#settings.ports, this.#settings.dir);
  }
  get running() {
    return isAlive(this.#identity);
  }

  /** Starts the process on the folder as it is and resolves when the server is ready; else nothing of it is left running. */
  async start(signal) {
    const { name, dir, readyTimeoutMs = this.#kind.readyTimeoutMs } = this.#settings;
    const context = { ...this.#settings, home: this.#home, log: new LogFile(logFile(dir)), signal };
    const { command, args, environment } = await this.#kind.prepare(context);
    this.#stopping = undefined;
    this.#identity = await launch({ command, args, environment, log: logFile(dir) });
    this.#dog?.guard(this.pid);
    this.record();
    try {
      const ask = async () => {
        const ready = this.running && (await this.#kind.isReady(context));
        // Also after it seemed ready: another server may have answered on its port.
        if (!this.running) throw this.#died(context.log);
        return ready;
      };
      if (await poll(ask, { deadlineMs: readyTimeoutMs, signal })) return;
      throw failure(
        `start "${name}"`,
        `it was not ready within ${readyTimeoutMs} ms`,
        `Its log: ${logFile(dir)}. A slow machine needs a larger readyTimeoutMs.`,
      );
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async stop() {
    this.#stopping ??= this.#end();
    await this.#stopping;
  }

  async #end() {
    await this.#terminate();
    this.#dog?.dismiss();
    if (!this.#throwaway) return;
    this.#removed = true;
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  /** After a start that failed: nothing runs, the folder is the caller's. */
  abandon() {
    this.#dog?.dismiss();
  }

  async #terminate() {
    // A stopped process takes SIGTERM only when it goes on.
    send(this.#identity, 'SIGTERM');
    send(this.#identity, 'SIGCONT');
    if (!(await this.#gone(this.#kind.stopMs))) await this.kill();
    this.record();
  }

  async kill() {
    if (this.#identity === undefined) return;
    const killed = this.#identity;
    send(killed, 'SIGKILL');
    if (!(await this.#gone(killMs)))
      throw failure(`kill "${this.name}"`, `process ${killed.pid} is still there after SIGKILL`, 'Look at its state.');
    this.record();
  }

  #gone(deadlineMs) {
    const identity = this.#identity;
    return poll(() => !isAlive(identity), { deadlineMs, everyMs: 10 });
  }

  async restart(signal) {
    if (this.#removed)
      throw failure(
        `restart "${this.name}"`,
        'its folder was removed when it stopped',
        'Give it a dir, or start a new one.',
      );
    await this.#terminate();
    const { name, ports } = this.#settings;
    await choosePorts(name, this.#kind.ports, { given: ports });
    if (this.#dog !== undefined) {
      // `stop` dismissed it.
      this.#dog.dismiss();
      this.#watch();
    }
    await this.start(signal);
  }

  /** Returns when all of its threads stand still: until then some may answer. */
  pause() {
    this.#signal('pause', 'SIGSTOP');
    for (let waited = 0; waited < 1_000 && !standsStill(this.pid); waited += 5)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  }
  resume() {
    this.#signal('resume', 'SIGCONT');
  }

  #signal(verb, signal) {
    if (!send(this.#identity, signal))
      throw failure(`${verb} "${this.name}"`, 'it does not run', 'Start it with restart().');
  }

  /** Writes down what another process needs to find and control this server. */
  record() {
    if (this.#removed) return;
    const { endpoints, running } = this;
    const record = {
      kind: this.#kind.name,
      ...this.#settings,
      endpoints,
      ...(running && { identity: this.#identity }),
    };
    writeJson(recordFile(this.dir), record);
  }

  #died(log) {
    const { name, ports } = this.#settings;
    const text = log.tail();
    if (/Address already in use|BindException|EADDRINUSE/.test(text)) {
      const [port, number] =
        Object.entries(ports).find(([, one]) => text.includes(String(one))) ?? Object.entries(ports)[0];
      return portTaken(name, port, number, this.#kind.ports[port]);
    }
    const lines = lastLines(text);
    const remedy = text.includes('UnsupportedClassVersionError')
      ? 'Install a Java runtime of version 17 or later, or set JAVA_HOME to it.'
      : 'Its last log lines:';
    const error = failure(`start "${name}"`, 'the server died', remedy);
    return new StackError([error.message, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
}

/** By the states of its threads, where the system tells them. */
function standsStill(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) =>
      /\) T \d/.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')),
    );
  } catch {
    // A thread has just ended; or this system does not tell.
    return !existsSync(`/proc/${pid}/task`);
  }
}
