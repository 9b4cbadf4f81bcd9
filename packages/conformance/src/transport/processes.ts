import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MemberSpec, Spec } from '../child/spec.ts';
import { deadlineOf } from '../scenario.ts';
import type { TransportContext } from './context.ts';
import type { TransportHarness } from './harness.ts';
import { Ledger } from './ledger.ts';

// Beside this file and in its language: sources in this repository, else what was built of them.
const program = fileURLToPath(new URL(`../child/index${extname(import.meta.url)}`, import.meta.url));

/** For a scenario that starts so many processes: each gets the harness's deadline. */
export const lives =
  (count: (harness: TransportHarness) => number) =>
  (harness: TransportHarness): number =>
    deadlineOf(harness) * count(harness);

export const killsOf = ({ kills = 3 }: TransportHarness): number => kills;

/** A process that the kit has started. */
export class Process {
  readonly name: string;
  readonly #c: TransportContext;
  readonly #ledger: Ledger;
  readonly #child: ChildProcess;
  readonly #closed: Promise<void>;
  #output = '';

  constructor(c: TransportContext, ledger: Ledger, spec: Spec) {
    this.name = spec.name;
    this.#c = c;
    this.#ledger = ledger;
    const { execArgv = [], env = {} } = c.harness.processes ?? {};
    this.#child = fork(program, [JSON.stringify(spec)], {
      execArgv: [...execArgv],
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    this.#closed = this.#watch();
  }

  get isKilled(): boolean {
    return this.#ledger.read().all('kill', this.name).length > 0;
  }

  /** SIGKILL; resolves when it is dead. */
  async kill(): Promise<void> {
    this.#ledger.kill(this.name);
    await this.abandon();
  }

  /** Resolves when it has ended. */
  async ended(): Promise<void> {
    await this.#c.within(`the end of process ${this.name}`, this.#closed);
  }

  /** SIGTERM; resolves when it has closed its client and ended by itself. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended();
    assert.equal(this.#child.signalCode ?? this.#child.exitCode, 0, `process ${this.name}: ${this.#output}`);
  }

  /** SIGKILL, when the ledger does not matter any more. */
  async abandon(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Until it has ended, which nobody expects unless it was told to. */
  async #watch(): Promise<void> {
    try {
      await once(this.#child, 'close');
    } catch (error) {
      this.#c.fault(error);
      return;
    }
    const { exitCode, signalCode } = this.#child;
    if (this.isKilled || (exitCode === 0 && this.#ledger.all('closed', this.name).length > 0)) return;
    this.#c.fault(new Error(`process ${this.name} ended by itself, with ${signalCode ?? exitCode}: ${this.#output}`));
  }
}

/** The processes of one scenario. */
export class Processes {
  readonly ledger: Ledger;
  readonly #c: TransportContext;
  readonly #all: Process[] = [];

  private constructor(c: TransportContext, ledger: Ledger) {
    this.#c = c;
    this.ledger = ledger;
  }

  static async open(c: TransportContext): Promise<Processes> {
    const folder = await mkdtemp(join(tmpdir(), 'bento-conformance-'));
    const processes = new Processes(c, new Ledger(join(folder, 'ledger')));
    c.onEnd(async () => {
      await Promise.all(processes.#all.map((one) => one.abandon()));
      processes.ledger.close();
      await rm(folder, { recursive: true, force: true });
    });
    return processes;
  }

  /** Starts a process; resolves when its members are in place, or it has been killed. */
  async start(members: readonly MemberSpec[], work: Spec['work'] = {}, log?: Spec['log']): Promise<Process> {
    const c = this.#c;
    const name = `p${this.#all.length + 1}`;
    assert.ok(c.harness.processes);
    const { module } = c.harness.processes;
    const seed = Math.floor(c.random() * 2 ** 32);
    const { file } = this.ledger;
    const started = new Process(c, this.ledger, {
      name,
      ledger: file,
      module,
      members,
      work,
      seed,
      ...(log && { log }),
    });
    this.#all.push(started);
    await this.eventually(`process ${name} ready`, () => started.isKilled || this.ledger.all('ready', name).length > 0);
    return started;
  }

  /** Waits for what the ledger must say. */
  eventually(what: string, check: () => unknown): Promise<void> {
    return this.#c.eventually(what, () => {
      this.ledger.read();
      return check();
    });
  }
}
