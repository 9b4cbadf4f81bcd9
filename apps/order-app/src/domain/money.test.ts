import { describe, expect, it } from '@jest/globals';
import { amountOf, canonicalDecimal, printMoney, sum } from './money.ts';

describe('money', () => {
  it('is exact where floating point is not', () => {
    expect(sum(['0.1', '0.2'])).toBe('0.3');
    expect(amountOf({ quantity: 3, unitPrice: '1.1' })).toBe('3.3');
    // 999,999,999 x (10^9 - 10^-10)
    expect(amountOf({ quantity: 999_999_999, unitPrice: '999999999.9999999999' })).toBe(
      '999999998999999999.9000000001',
    );
    expect(sum(Array.from({ length: 1000 }, () => '0.0000000001'))).toBe('0.0000001');
  });

  it('has no exponents, however small or large a value is', () => {
    expect(canonicalDecimal('0.0000000001')).toBe('0.0000000001');
    expect(canonicalDecimal('100000000000000000000000')).toBe('100000000000000000000000');
    expect(sum([])).toBe('0');
  });

  it('is rounded half up for print, away from zero', () => {
    expect(['0.125', '0.135', '2.675', '1.005', '-0.125', '7', '0.004'].map(printMoney)).toEqual([
      '0.13',
      '0.14',
      '2.68',
      '1.01',
      '-0.13',
      '7.00',
      '0.00',
    ]);
  });

  it('is rounded after the sum, not before', () => {
    expect(printMoney(sum(['0.004', '0.004', '0.004']))).toBe('0.01');
  });
});
