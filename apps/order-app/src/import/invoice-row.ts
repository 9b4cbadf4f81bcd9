import type { Line } from '../domain/events.ts';
import { priceFault, quantityFault } from '../domain/line-rules.ts';
import { canonicalDecimal } from '../domain/money.ts';
import type { CsvRow } from './csv-rows.ts';
import { parseInvoiceDate } from './invoice-date.ts';

/** The header of the "Online Retail" format: exactly these, in this order. */
export const invoiceColumns = [
  'InvoiceNo',
  'StockCode',
  'Description',
  'Quantity',
  'InvoiceDate',
  'UnitPrice',
  'CustomerID',
  'Country',
] as const;

/** A valid row. */
export interface InvoiceRow {
  readonly line: Line;
  /** Epoch milliseconds, UTC. */
  readonly time: number;
  readonly customerId: string;
  readonly country: string;
}

/** What a row says; `invoice` is empty when it names none. */
export type ReadRow =
  | { readonly invoice: string; readonly row: InvoiceRow; readonly fault?: undefined }
  | { readonly invoice: string; readonly row?: undefined; readonly fault: string };

/** An invoice whose number begins with C is a credit note. */
export const isCreditNote = (invoice: string): boolean => invoice.startsWith('C');

const maxInvoiceLength = 100;
const invoiceFault = (invoice: string): string | undefined => {
  if (invoice === '') return 'InvoiceNo is empty';
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (invoice.length > maxInvoiceLength || /^\s|\s$|[\u0000-\u001f\u007f]/.test(invoice))
    return `InvoiceNo must have at most ${maxInvoiceLength} characters, no white space around it and no control character`;
  return undefined;
};

/** Checks one row by itself; `fault` names everything that is wrong with it. */
export function readInvoiceRow({ fields, fault }: CsvRow): ReadRow {
  const [
    invoiceNo = '',
    sku = '',
    description = '',
    quantity = '',
    date = '',
    unitPrice = '',
    customerId = '',
    country = '',
  ] = fields;
  const invoice = invoiceNo.trim() === '' ? '' : invoiceNo;
  if (fault !== undefined) return { invoice, fault };
  if (fields.length !== invoiceColumns.length)
    return { invoice, fault: `${fields.length} fields instead of ${invoiceColumns.length}` };
  const time = parseInvoiceDate(date);
  const faults = [
    invoiceFault(invoice),
    sku === '' ? 'StockCode is empty' : undefined,
    quantityFault(quantity, isCreditNote(invoice) ? 'credit note' : 'order'),
    time === undefined ? `InvoiceDate "${date}" is not a date and time as M/D/YY H:MM` : undefined,
    priceFault(unitPrice),
    country === '' ? 'Country is empty' : undefined,
  ].filter((text) => text !== undefined);
  if (time === undefined || faults.length > 0) return { invoice, fault: faults.join('; ') };
  const line = { sku, description, quantity: Number(quantity), unitPrice: canonicalDecimal(unitPrice) };
  return { invoice, row: { line, time, customerId, country } };
}
