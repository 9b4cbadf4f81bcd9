import { describe, expect, it } from '@jest/globals';
import { parseInvoiceDate } from './invoice-date.ts';
import { readInvoiceRow } from './invoice-row.ts';

const good = ['536365', '85123A', 'WHITE, "HEART"', '6', '12/1/10 8:26', '2.55', '17850', 'United Kingdom'];
const [invoiceNo, stockCode, , quantity, date, price, , country] = [0, 1, 2, 3, 4, 5, 6, 7];
const withField = (index: number | undefined, value: string, fields: readonly string[] = good): string[] =>
  fields.with(index ?? 0, value);
const faultOf = (fields: readonly string[]): string | undefined => readInvoiceRow({ line: 2, fields }).fault;

describe('readInvoiceRow', () => {
  it('reads a row', () => {
    expect(readInvoiceRow({ line: 2, fields: good })).toEqual({
      invoice: '536365',
      row: {
        line: { sku: '85123A', description: 'WHITE, "HEART"', quantity: 6, unitPrice: '2.55' },
        time: Date.UTC(2010, 11, 1, 8, 26),
        customerId: '17850',
        country: 'United Kingdom',
      },
    });
  });

  it('takes an empty customer, an empty description and a price of 0', () => {
    expect(faultOf(['1', 'A', '', '1', '1/1/11 0:00', '0', '', 'EIRE'])).toBeUndefined();
  });

  it('spells equal prices alike', () => {
    const prices = ['2.5', '2.50', '02.5'].map((text) => readInvoiceRow({ line: 2, fields: withField(price, text) }));
    expect(prices.map(({ row }) => row?.line.unitPrice)).toEqual(['2.5', '2.5', '2.5']);
  });

  it.each(['', 'x', '1e3', '0x10', '+1', ' 1', '1.', '.5', '1,5', '1.12345678901', '1234567890', 'NaN', 'Infinity'])(
    'refuses the price "%s"',
    (text) => {
      expect(faultOf(withField(price, text))).toBe(
        `UnitPrice "${text}" is not a decimal of at most 9 digits before and 10 after the point`,
      );
    },
  );

  it('refuses a price below 0', () => {
    expect(faultOf(withField(price, '-11062.06'))).toBe('UnitPrice -11062.06 is below 0');
  });

  it.each(['', '1.0', '1.5', 'six', '+6', ' 6', '1e1', '1234567890', '--1'])('refuses the quantity "%s"', (text) => {
    expect(faultOf(withField(quantity, text))).toBe(`Quantity "${text}" is not a whole number of at most 9 digits`);
  });

  it('wants quantities above 0 for orders and below 0 for credit notes', () => {
    const credit = withField(invoiceNo, 'C536365');
    expect(faultOf(withField(quantity, '0'))).toBe('Quantity is 0');
    expect(faultOf(withField(quantity, '-1'))).toContain('is negative');
    expect(faultOf(credit)).toContain('of a credit note is not negative');
    expect(faultOf(withField(quantity, '-6', credit))).toBeUndefined();
    expect(faultOf(withField(quantity, '0', credit))).toBe('Quantity is 0');
  });

  it('wants eight fields', () => {
    expect(readInvoiceRow({ line: 9, fields: good.slice(1) })).toEqual({
      invoice: '85123A',
      fault: '7 fields instead of 8',
    });
    expect(faultOf([...good, ''])).toBe('9 fields instead of 8');
  });

  it('names everything that is wrong', () => {
    const fields = withField(country, '', withField(stockCode, '', withField(date, 'today')));
    expect(faultOf(fields)).toBe(
      'StockCode is empty; InvoiceDate "today" is not a date and time as M/D/YY H:MM; Country is empty',
    );
  });

  it('tells an empty invoice number from one that is no good', () => {
    expect(readInvoiceRow({ line: 2, fields: withField(invoiceNo, ' ') })).toEqual({
      invoice: '',
      fault: 'InvoiceNo is empty',
    });
    for (const text of [' 536365', '5363\n65', 'x'.repeat(101)])
      expect(faultOf(withField(invoiceNo, text))).toContain('InvoiceNo must have');
  });

  it('keeps the fault of the reader', () => {
    expect(readInvoiceRow({ line: 2, fields: good, fault: 'not UTF-8' })).toEqual({
      invoice: '536365',
      fault: 'not UTF-8',
    });
  });
});

describe('parseInvoiceDate', () => {
  it('reads M/D/YY H:MM as UTC of 20YY', () => {
    expect(parseInvoiceDate('12/1/10 8:26')).toBe(Date.UTC(2010, 11, 1, 8, 26));
    expect(parseInvoiceDate('2/29/12 23:59')).toBe(Date.UTC(2012, 1, 29, 23, 59));
    expect(parseInvoiceDate('01/09/99 00:00')).toBe(Date.UTC(2099, 0, 9));
    expect(parseInvoiceDate('1/1/00 0:00')).toBe(Date.UTC(2000, 0, 1));
  });

  it.each(['', '2/29/11 8:00', '2/30/12 8:00', '13/1/10 8:00', '0/1/10 8:00', '1/0/10 8:00', '4/31/10 8:00'])(
    'refuses "%s", which is no day',
    (text) => {
      expect(parseInvoiceDate(text)).toBeUndefined();
    },
  );

  it.each(['1/1/10 24:00', '1/1/10 8:60', '1/1/10 8:5', '1/1/2010 8:00', '1/1/10', '1/1/10 8:00 ', '2010-01-01 8:00'])(
    'refuses "%s", which is no time in this form',
    (text) => {
      expect(parseInvoiceDate(text)).toBeUndefined();
    },
  );
});
