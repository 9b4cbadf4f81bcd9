import { openSync, writeSync } from 'node:fs';

/**
 * One thing that happened, a line of the ledger. All processes write to one file; each line is written whole and before its writer goes on,
 * so the file's order is that of what happened, and SIGKILL takes nothing back.
 */
export interface Entry {
  /**
   * `ready`: the members are in place. `start`, `held`, `end`, `failed`: of a handler. `exhausted`: given to the hook. `opening`, `published`: of a
   * log. `kill`: written just before the process is killed. `closed`: it has closed its client.
   */
  readonly what:
    | 'ready'
    | 'start'
    | 'held'
    | 'end'
    | 'failed'
    | 'exhausted'
    | 'opening'
    | 'published'
    | 'kill'
    | 'closed';
  /** Name of the process. */
  readonly by: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly group?: string;
  readonly id?: string;
  readonly attempt?: number;
  /** Why it was exhausted; up to where the log is published. */
  readonly text?: string;
}

/** Writes entries of one process. */
export function ledgerWriter(file: string, by: string): (what: Entry['what'], fields?: Partial<Entry>) => void {
  const ledger = openSync(file, 'a');
  return (what, fields) => {
    writeSync(ledger, `${JSON.stringify({ what, by, at: Date.now(), ...fields } satisfies Entry)}\n`);
  };
}
