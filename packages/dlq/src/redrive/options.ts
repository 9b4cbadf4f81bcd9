import { configurationError, type Logger, type Transport } from '@bento-bus/core';
import type { DeadLetter, DeadLetterFilter } from './letter.ts';

/** What an edit changes. Headers replace those of the same name; undefined takes one away. */
export interface LetterEdit {
  readonly body?: Uint8Array | null;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** How far a run has come. */
export interface RedriveProgress {
  readonly looked: number;
  /** Redriven, or discarded. */
  readonly done: number;
  readonly kept: number;
}

/** What a run did. In a dry run: what it would do. */
export interface RedriveReport extends RedriveProgress {
  /** Marks what this run has redriven: header `bento-redrive-run`. */
  readonly run: string;
  readonly edited: number;
  /** False: there may be more, since a limit or the signal ended the run. */
  readonly complete: boolean;
  /** Only in a dry run: the letters that fit. */
  readonly letters: readonly DeadLetter[];
}

/** Options of {@link redrive}. */
export interface RedriveOptions {
  readonly transport: Transport;
  /** The topic that the messages came from. */
  readonly topic: string;
  /** The group that failed; only it gets them again. */
  readonly group: string;
  /** @default all */
  readonly filter?: DeadLetterFilter;
  /** `'discard'`: acknowledges the letters; their copies stay on the audit topic. @default 'redrive' */
  readonly action?: 'redrive' | 'discard';
  /** Changes nothing; the report has the letters. @default false */
  readonly dryRun?: boolean;
  /** Ends after so many letters that fit. @default all, in a dry run 1_000 */
  readonly limit?: number;
  /** Letters redriven a second at most. @default as fast as it goes */
  readonly perSecond?: number;
  /** Changes a letter before it is redriven. Its original goes to `<topic>-<group>-AUDIT` first. */
  readonly edit?: (letter: DeadLetter) => LetterEdit | undefined | Promise<LetterEdit | undefined>;
  /** Who does it: header `bento-redriven-by`. @default 'redrive' */
  readonly by?: string;
  /** The run ends when no letter has come for so long. Milliseconds. @default 3_000 */
  readonly idleMs?: number;
  /** Ends the run; what has not been redriven stays. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RedriveProgress) => void;
  /** @default silentLogger */
  readonly logger?: Logger;
}

/** As callers without types may give them. */
type Unchecked = { readonly [K in keyof RedriveOptions]: unknown };

/** Throws one `CONFIGURATION` error that names every fault. */
export function checkRedriveOptions(options: RedriveOptions): void {
  const { transport, topic, group, action, limit, perSecond, edit, idleMs, dryRun, filter = {} }: Unchecked = options;
  const faults: string[] = [];
  const above = (name: string, value: unknown, whole: boolean): void => {
    if (value === undefined || (Number(value) > 0 && (whole ? Number.isSafeInteger(value) : Number.isFinite(value))))
      return;
    faults.push(`${name} must be a ${whole ? 'whole ' : ''}number above 0, not ${JSON.stringify(value)}`);
  };
  if (typeof (transport as Partial<Transport> | undefined)?.subscribe !== 'function')
    faults.push('transport must be a Transport');
  if (typeof topic !== 'string' || topic === '')
    faults.push('topic must be the name of the topic that the messages came from');
  if (typeof group !== 'string' || group === '') faults.push('group must be the name of the group that failed');
  if (action !== undefined && action !== 'redrive' && action !== 'discard')
    faults.push(`action must be 'redrive' or 'discard', not ${JSON.stringify(action)}`);
  if (action === 'discard' && edit !== undefined) faults.push('a letter that is discarded cannot be edited');
  if (dryRun === true && edit !== undefined) faults.push('a dry run does not edit; leave edit out');
  above('limit', limit, true);
  above('perSecond', perSecond, false);
  above('idleMs', idleMs, false);
  for (const name of ['since', 'until'] as const)
    if ((filter as DeadLetterFilter)[name] !== undefined && !Number.isFinite((filter as DeadLetterFilter)[name]))
      faults.push(`filter.${name} must be epoch milliseconds, not ${String((filter as DeadLetterFilter)[name])}`);
  if (faults.length > 0) throw configurationError('dlq: cannot redrive', faults);
}
