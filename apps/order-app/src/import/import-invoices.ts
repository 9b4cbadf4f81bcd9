import { randomUUID } from 'node:crypto';
import type { CommandBus } from '@bento-bus/core';
import { PlaceOrder, RecordCreditNote } from '../application/commands.ts';
import { OrderRuleError } from '../domain/errors.ts';
import { concurrently } from './concurrently.ts';
import type { InvoiceFile } from './invoice-file.ts';
import { isCreditNote } from './invoice-row.ts';
import { type Invoice, invoices } from './invoices.ts';
import { type Rejects, writeRejects } from './rejects.ts';
import { type Scan, scan } from './scan.ts';

/** Invoices on their way at once: enough for the store to commit them in large groups, few enough to hold in memory. */
const inFlight = 512;

export interface ImportOptions {
  readonly file: InvoiceFile;
  /** For the rejects, where the file's folder cannot be written to. */
  readonly dataDir: string;
  readonly commands: CommandBus;
  /** Aborting ends the import after the invoices at work. */
  readonly signal: AbortSignal;
  /** `done` of `total` invoices are handled. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ImportOutcome {
  /** Not all invoices were taken: the signal was aborted. */
  readonly interrupted: boolean;
  /** Invoices that can be imported, and how many of them are handled. */
  readonly total: number;
  readonly done: number;
  readonly newEvents: number;
  readonly rejectedInvoices: number;
  /** Undefined: nothing was rejected, or the import was interrupted. */
  readonly rejects: Rejects | undefined;
}

/**
 * Imports a CSV file of invoices: each as a whole, in one event, or not at all. What is known already stays as it is, so that an
 * import that ended early is completed by another. Reads the file twice, and a third time for the rejects.
 */
export async function importInvoices(options: ImportOptions): Promise<ImportOutcome> {
  const { commands, file, signal, onProgress } = options;
  const found = await scan(file, signal).catch((error: unknown) => {
    if (signal.aborted) return undefined;
    throw error;
  });
  if (found === undefined)
    return { interrupted: true, total: 0, done: 0, newEvents: 0, rejectedInvoices: 0, rejects: undefined };
  const correlationId = randomUUID();
  const differing = new Set<string>();
  let done = 0;
  let newEvents = 0;
  const record = async (invoice: Invoice): Promise<void> => {
    try {
      if ((await commands.execute(commandFor(invoice, correlationId))) === 'recorded') newEvents += 1;
    } catch (error) {
      if (!isDiffering(error)) throw error;
      differing.add(invoice.number);
    }
    done += 1;
    onProgress?.(done, found.accepted);
  };
  onProgress?.(0, found.accepted);
  await concurrently(invoices(file, found), inFlight, record, signal);
  const interrupted = done < found.accepted;
  return {
    interrupted,
    total: found.accepted,
    done,
    newEvents,
    rejectedInvoices: rejectedBy(found) + differing.size,
    rejects: interrupted ? undefined : await writeRejects(file, found, differing, options.dataDir),
  };
}

const rejectedBy = ({ invoices: all, accepted }: Scan): number => all.size - accepted;

const isDiffering = (error: unknown): boolean =>
  error instanceof OrderRuleError && (error.rule === 'already-placed' || error.rule === 'already-recorded');

function commandFor({ number, time, ...content }: Invoice, correlationId: string): PlaceOrder | RecordCreditNote {
  return isCreditNote(number)
    ? new RecordCreditNote({ creditNoteId: number, issuedAt: time, ...content }, correlationId)
    : new PlaceOrder({ orderId: number, placedAt: time, ...content }, correlationId);
}
