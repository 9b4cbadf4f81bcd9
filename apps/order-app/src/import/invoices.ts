import type { Line } from '../domain/events.ts';
import { ImportFileError } from './errors.ts';
import type { InvoiceFile } from './invoice-file.ts';
import { readInvoiceRow } from './invoice-row.ts';
import type { Scan } from './scan.ts';

/** A whole invoice. */
export interface Invoice {
  readonly number: string;
  readonly customerId: string;
  readonly country: string;
  /** Of its first row. Epoch milliseconds, UTC. */
  readonly time: number;
  readonly lines: readonly Line[];
}

/** Second pass: the invoices without a fault, each when its last row is read. Holds the rows of open invoices only. */
export async function* invoices(file: InvoiceFile, scan: Scan): AsyncGenerator<Invoice> {
  const open = new Map<string, Invoice & { readonly lines: Line[] }>();
  for await (const batch of file.rows()) {
    for (const csv of batch) {
      const { invoice: number, row } = readInvoiceRow(csv);
      const entry = scan.invoices.get(number);
      if (row === undefined || entry === undefined || entry.fault !== undefined) continue;
      const { customerId, country, time, line } = row;
      let invoice = open.get(number);
      if (invoice === undefined) open.set(number, (invoice = { number, customerId, country, time, lines: [] }));
      invoice.lines.push(line);
      if (invoice.lines.length < entry.rows) continue;
      open.delete(number);
      yield invoice;
    }
  }
  if (open.size > 0) throw new ImportFileError(file.name, 'it was changed while it was read', 'Import it again.');
}
