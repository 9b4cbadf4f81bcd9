import assert from 'node:assert/strict';
import { closeSync, openSync, readSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { type Entry, ledgerWriter } from '../child/ledger.ts';
import { type Call, repeatsOf } from './calls.ts';

/** A call in a process. Its moments are places in the ledger. */
interface LedgerCall extends Call {
  /** Epoch milliseconds. */
  endAt: number;
}

/** What the processes of a scenario have written down. */
export class Ledger {
  readonly file: string;
  readonly entries: Entry[] = [];
  readonly #handled = new Map<string, Set<string>>();
  readonly #input: number;
  readonly #chunk = Buffer.alloc(65_536);
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(file: string) {
    this.file = file;
    this.#input = openSync(file, 'a+');
  }

  /** Written before `by` is killed: what it does afterwards is not its fault. */
  kill(by: string): void {
    ledgerWriter(this.file, by)('kill');
  }

  /** Reads what is new. */
  read(): this {
    for (let length = -1; length !== 0; ) {
      length = readSync(this.#input, this.#chunk);
      this.#rest += this.#decoder.write(this.#chunk.subarray(0, length));
    }
    const lines = this.#rest.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const entry = JSON.parse(line) as Entry;
      this.entries.push(entry);
      const { what, group, id } = entry;
      if (what !== 'end' || group === undefined || id === undefined) continue;
      const handled = this.#handled.get(group);
      if (handled === undefined) this.#handled.set(group, new Set([id]));
      else handled.add(id);
    }
    return this;
  }

  close(): void {
    closeSync(this.#input);
  }

  /** Entries of one kind, of all processes or of one. */
  all(what: Entry['what'], by?: string): readonly Entry[] {
    return this.entries.filter((entry) => entry.what === what && (by === undefined || entry.by === by));
  }

  /** Ids of what the group has handled at least once. */
  handled(group: string): ReadonlySet<string> {
    return this.#handled.get(group) ?? new Set();
  }

  /** Calls of the handlers of a group, in the order of their starts. */
  calls(group: string): readonly LedgerCall[] {
    const calls: LedgerCall[] = [];
    const open = new Map<string, LedgerCall>();
    const killed = new Set<string>();
    for (const [index, { what, by, at, group: of, id, attempt = 0 }] of this.entries.entries()) {
      if (what === 'kill') {
        killed.add(by);
        for (const call of calls) {
          if (call.by !== by || call.end !== undefined) continue;
          Object.assign(call, { end: index, endAt: at, died: true });
        }
      }
      if (of !== group || id === undefined) continue;
      if (what === 'start') {
        const call = { id, by, attempt, start: index, end: undefined, endAt: Number.POSITIVE_INFINITY, failed: false };
        // It is told before the signal reaches it: a start in between dies at once.
        if (killed.has(by)) Object.assign(call, { end: index, endAt: at, died: true });
        calls.push(call);
        open.set(`${by} ${id}`, call);
      } else if (what === 'end' || what === 'failed')
        Object.assign(open.get(`${by} ${id}`) ?? {}, { end: index, endAt: at, died: false, failed: what === 'failed' });
    }
    return calls;
  }

  /**
   * Only a process that was killed has work of it done again: what it had in hand, at most `concurrency` messages, and what it handled in
   * the last `duplicatesMs`.
   */
  assertRepeats(group: string, concurrency: number, duplicatesMs: number): void {
    const calls = this.calls(group);
    const repeated = new Map<string, string[]>();
    for (const [before, again] of repeatsOf(calls))
      repeated.set(before.by, [...(repeated.get(before.by) ?? []), again.id]);
    for (const [by, ids] of repeated) {
      const killedAt = this.all('kill', by)[0]?.at;
      assert.ok(killedAt !== undefined, `handled again though process ${by} was not killed: ${ids.join(', ')}`);
      const late = calls.filter(
        (call) => call.by === by && call.died !== true && call.endAt >= killedAt - duplicatesMs,
      );
      const most = concurrency + late.length;
      assert.ok(
        ids.length <= most,
        `${ids.length} messages of the killed process ${by} came again, at most ${most} may: ${ids.join(', ')}`,
      );
    }
  }
}
