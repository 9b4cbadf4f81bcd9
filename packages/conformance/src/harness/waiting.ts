import { setImmediate, setTimeout } from 'node:timers/promises';
import { BentoError } from '@bento-bus/core';
import type { Ledger } from './ledger.ts';
import type { Pending } from './pending.ts';

/** A clock that a test moves; `createVirtualClock` of @bento-bus/inprocess-bus is one. */
export interface HarnessClock {
  /** Epoch milliseconds. */
  now(): number;
  /** Moves time on by `ms`; resolves when what was due by then has run. */
  advance(ms: number): Promise<void>;
}

/** Looks with a turn of the event loop between them, before real time is waited for. */
const turns = 10;
/** A handler at work may wait for the outside world: the virtual clock waits for it so long, and then for the handler's sake goes on slowly. Milliseconds. */
const patienceMs = 25;
const pauseMs = 2;

/** Passes the time: real time, or that of a clock. */
class Time {
  readonly #ledger: Ledger;
  readonly #clock: HarnessClock | undefined;
  #version = -1;
  #looks = 0;
  #busySince: number | undefined;
  #step = 1;

  constructor(ledger: Ledger, clock: HarnessClock | undefined) {
    this.#ledger = ledger;
    this.#clock = clock;
  }

  async pass(): Promise<void> {
    await setImmediate();
    if (this.#ledger.version !== this.#version) {
      this.#version = this.#ledger.version;
      this.#looks = 0;
      this.#step = 1;
      this.#busySince = undefined;
      return;
    }
    this.#looks += 1;
    if (this.#looks < turns) return;
    if (this.#clock === undefined) await setTimeout(pauseMs);
    else await this.#move(this.#clock);
  }

  async #move(clock: HarnessClock): Promise<void> {
    if (this.#ledger.isBusy) {
      this.#busySince ??= performance.now();
      await setTimeout(pauseMs);
      if (performance.now() - this.#busySince < patienceMs) return;
      await clock.advance(this.#stepped(100));
      return;
    }
    this.#busySince = undefined;
    const pending = this.#ledger.pending();
    if (pending.length === 0) {
      // Whatever is waited for, it is not a message.
      await setTimeout(pauseMs);
      await clock.advance(this.#stepped(1_000));
      return;
    }
    const due = Math.min(...pending.map((one) => one.due ?? 0)) - clock.now();
    await clock.advance(due > 0 ? due : this.#stepped(10_000));
  }

  #stepped(most: number): number {
    const step = Math.min(this.#step, most);
    this.#step *= 2;
    return step;
  }
}

/** What is waited for, and how long. */
export interface Wait {
  readonly ledger: Ledger;
  readonly clock: HarnessClock | undefined;
  readonly timeoutMs: number;
  /** For the error's text: `see that <what>`. */
  readonly what: string;
  /** What it threw or said last counts for the error. */
  readonly check: () => unknown;
}

/** Waits until `check` returns anything but false and does not throw. Rejects with `TIMEOUT`, and when a subscription has ended by a fault. */
export async function waitUntil({ ledger, clock, timeoutMs, what, check }: Wait): Promise<void> {
  const time = new Time(ledger, clock);
  const end = performance.now() + timeoutMs;
  for (let looks = 1; ; looks += 1) {
    // Asked first, so that the last look comes after the last wait.
    const late = looks > turns && performance.now() >= end;
    let reason: unknown;
    try {
      if ((await check()) !== false) return;
    } catch (error) {
      reason = error;
    }
    if (ledger.fault !== undefined) throw ended(what, ledger.fault);
    if (late) throw timedOut(what, timeoutMs, ledger.pending(), reason);
    await time.pass();
  }
}

const shown = 20;

function timedOut(what: string, ms: number, pending: readonly Pending[], reason: unknown): BentoError {
  const list = pending.slice(0, shown).map(describe);
  if (pending.length > shown) list.push(`and ${pending.length - shown} more`);
  const parts = [`${ms} ms have passed`];
  if (reason !== undefined) parts.push(textOf(reason));
  parts.push(list.length === 0 ? 'no message is pending' : `pending: ${list.join('; ')}`);
  const cause = reason ?? pending.find(({ error }) => error !== undefined)?.error;
  return new BentoError(
    'TIMEOUT',
    `conformance: cannot see that ${what}: ${parts.join('; ')}. Mend what fails, or raise timeoutMs.`,
    false,
    cause === undefined ? {} : { cause },
  );
}

function describe({ record: { topic, type, id }, group, attempts, error, due }: Pending): string {
  const notes = [attempts === 0 ? 'not delivered' : `attempts: ${attempts}`];
  if (due !== undefined) notes.push(`due ${new Date(due).toISOString()}`);
  if (error !== undefined) notes.push(`last error: ${textOf(error)}`);
  return `${type} "${id}" on "${topic}" for group "${group}" (${notes.join(', ')})`;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');

const ended = (what: string, { group, error }: { readonly group: string; readonly error: unknown }): BentoError =>
  new BentoError(
    'ABORTED',
    `conformance: cannot see that ${what}: a subscription of group "${group}" has ended: ${textOf(error)}. See the cause.`,
    false,
    { cause: error },
  );
