import type { InvoiceFile } from './invoice-file.ts';
import { type InvoiceRow, readInvoiceRow } from './invoice-row.ts';

type Parties = Pick<InvoiceRow, 'customerId' | 'country'>;

/** What the first pass knows of an invoice. */
export interface InvoiceEntry {
  rows: number;
  /** Of the first row that is right by itself: the others have to agree. */
  parties?: Parties;
  /** Why the whole invoice is rejected. */
  fault?: string;
}

/** Outcome of the first pass. */
export interface Scan {
  readonly invoices: ReadonlyMap<string, InvoiceEntry>;
  /** Invoices without a fault. */
  readonly accepted: number;
  /** Rows without an invoice number were found. */
  readonly strays: boolean;
}

/** How a row contradicts its invoice. */
export function disagreement({ parties }: InvoiceEntry, row: InvoiceRow): string | undefined {
  if (parties === undefined) return undefined;
  if (row.customerId !== parties.customerId)
    return `CustomerID "${row.customerId}" differs from "${parties.customerId}" in an earlier row of the invoice`;
  if (row.country !== parties.country)
    return `Country "${row.country}" differs from "${parties.country}" in an earlier row of the invoice`;
  return undefined;
}

/** First pass: counts the rows of each invoice and finds the invoices to reject. Holds no rows. */
export async function scan(file: InvoiceFile, signal: AbortSignal): Promise<Scan> {
  const invoices = new Map<string, InvoiceEntry>();
  const partiesOf = sharedParties();
  let strays = false;
  for await (const batch of file.rows()) {
    signal.throwIfAborted();
    for (const csv of batch) {
      const read = readInvoiceRow(csv);
      if (read.invoice === '') {
        strays = true;
        continue;
      }
      let entry = invoices.get(read.invoice);
      if (entry === undefined) invoices.set(read.invoice, (entry = { rows: 0 }));
      if (read.row !== undefined) entry.parties ??= partiesOf(read.row);
      entry.rows += 1;
      const fault = read.fault ?? disagreement(entry, read.row);
      if (fault !== undefined) entry.fault ??= `line ${csv.line}: ${fault}`;
    }
  }
  let accepted = 0;
  for (const { fault } of invoices.values()) if (fault === undefined) accepted += 1;
  return { invoices, accepted, strays };
}

/** One object for all invoices of a customer and country: an index of many invoices stays small. */
function sharedParties(): (row: InvoiceRow) => Parties {
  const known = new Map<string, Parties>();
  return ({ customerId, country }) => {
    const key = `${customerId}\n${country}`;
    let parties = known.get(key);
    if (parties === undefined) known.set(key, (parties = { customerId, country }));
    return parties;
  };
}
