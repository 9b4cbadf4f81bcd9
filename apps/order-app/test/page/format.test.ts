import { beforeAll, describe, expect, it } from '@jest/globals';

/** What of the page's module is tested here; the page itself has no build step. */
interface Format {
  money(text: string): string;
  centsOf(text: string): bigint;
  textOfCents(cents: bigint): string;
  totalOf(lines: readonly { quantity: string; unitPrice: string }[]): string | undefined;
  exactClock(iso: string): string;
}

const line = (quantity: string, unitPrice: string) => ({ quantity, unitPrice });

describe('formats of the page', () => {
  let format: Format;
  beforeAll(async () => {
    format = (await import(new URL('../../page/js/format.js', import.meta.url).href)) as Format;
  });

  it('groups money as text, however large it is', () => {
    expect(
      ['0.05', '999.00', '1000.00', '-1234567.89', '123456789012345678901.23'].map((text) => format.money(text)),
    ).toEqual(['0.05', '999.00', '1,000.00', '-1,234,567.89', '123,456,789,012,345,678,901.23']);
  });

  it('counts in whole cents', () => {
    for (const text of ['0.00', '0.05', '-0.05', '-1234.50', '98765432109876543210.99'])
      expect(format.textOfCents(format.centsOf(text))).toBe(text);
  });

  it('sums what is typed exactly, and only when all of it is a number', () => {
    expect(format.totalOf([line('3', '0.1'), line('1', '0.2')])).toBe('0.50');
    expect(format.totalOf([line('1', '1.005')])).toBe('1.01');
    expect(format.totalOf([line('1', '0.004'), line('1', '0.004')])).toBe('0.01');
    expect(format.totalOf([line('999999999', '999999999.9999999999')])).toBe('999999998999999999.90');
    for (const bad of [line('', '1'), line('1', ''), line('-1', '1'), line('1', '1,5'), line('1.5', '1')])
      expect([bad, format.totalOf([line('1', '1'), bad])]).toEqual([bad, undefined]);
  });

  it('tells times in UTC', () => {
    expect(format.exactClock('2026-01-02T03:04:05.006Z')).toBe('03:04:05.006');
  });
});
