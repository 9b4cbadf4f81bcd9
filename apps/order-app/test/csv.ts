import { writeFile } from 'node:fs/promises';

export const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

/** Fields of one row, of which a test says what matters. */
export interface Row {
  readonly invoice: string;
  readonly sku?: string;
  readonly description?: string;
  readonly quantity?: string;
  readonly date?: string;
  readonly price?: string;
  readonly customer?: string;
  readonly country?: string;
}

/** One line of a file. */
export const row = (fields: Row): string => {
  const { invoice, sku = 'A1', description = 'MUG', quantity = '1' } = fields;
  const { date = '12/1/10 8:26', price = '1.00', customer = '17850', country = 'France' } = fields;
  return [invoice, sku, description, quantity, date, price, customer, country].join(',');
};

/** Writes a file of invoices. */
export const writeCsv = (path: string, lines: readonly (Row | string)[]): Promise<void> =>
  writeFile(path, [header, ...lines.map((line) => (typeof line === 'string' ? line : row(line)))].join('\n'));
