import { describe, expect, it } from '@jest/globals';
import { formatDecimal, parseDecimal } from './decimal.ts';

describe('decimals', () => {
  it('have one spelling', () => {
    const spellings = { '1.50': '1.5', '007': '7', '-0.00': '0', '0.0000000001': '0.0000000001', '-12.030': '-12.03' };
    for (const [given, kept] of Object.entries(spellings)) {
      expect(formatDecimal(parseDecimal(given) as bigint)).toBe(kept);
    }
  });

  it('hold 28 digits before the point and 10 after it, and no more', () => {
    const largest = `${'9'.repeat(28)}.${'9'.repeat(10)}`;
    expect(formatDecimal(parseDecimal(`-${largest}`) as bigint)).toBe(`-${largest}`);
    expect(parseDecimal(`1${'0'.repeat(28)}`)).toBeUndefined();
    expect(parseDecimal('0.00000000001')).toBeUndefined();
    expect(parseDecimal('0.10000000000')).toBe(1_000_000_000n);
  });

  it('are plain digits', () => {
    for (const text of ['', '-', '.5', '5.', '+1', '1e3', '1,5', ' 1', 'NaN', '0x10', '1.2.3']) {
      expect(parseDecimal(text)).toBeUndefined();
    }
  });
});
