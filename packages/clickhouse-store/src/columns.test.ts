import { describe, expect, it } from '@jest/globals';
import { canonicalDecimal, columns } from './columns.ts';

describe('canonicalDecimal', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['-0.000', '0'],
    ['00012.3400', '12.34'],
    ['-00.5', '-0.5'],
    ['100', '100'],
    ['1.0000000001', '1.0000000001'],
    ['1.00000000010000', '1.0000000001'],
    ['9999999999999999999999999999.9999999999', '9999999999999999999999999999.9999999999'],
    ['00009999999999999999999999999999', '9999999999999999999999999999'],
  ])('writes %s as %s', (value, text) => {
    expect(canonicalDecimal(value)).toBe(text);
  });

  it.each([
    '',
    '-',
    '.',
    '.5',
    '5.',
    '+5',
    '1e2',
    ' 1',
    '1 ',
    '1,5',
    '0x1',
    'NaN',
    '1.00000000001',
    '12345678901234567890123456789',
  ])('refuses "%s"', (value) => {
    expect(canonicalDecimal(value)).toBeUndefined();
  });
});

describe('column values', () => {
  it.each([
    ['string', 'x', true],
    ['string', '\ud800', false],
    ['string', 1, false],
    ['integer', Number.MAX_SAFE_INTEGER, true],
    ['integer', Number.MAX_SAFE_INTEGER + 1, false],
    ['integer', 1.5, false],
    ['integer', '1', false],
    ['decimal', '1.5', true],
    ['decimal', 1.5, false],
    ['time', Date.UTC(1900, 0, 1), true],
    ['time', Date.UTC(1900, 0, 1) - 1, false],
    ['time', Date.UTC(2300, 0, 1), false],
    ['time', 0.5, false],
    ['time', new Date(0), false],
    ['date', '2024-02-29', true],
    ['date', '2023-02-29', false],
    ['date', '1899-12-31', false],
    ['date', '2300-01-01', false],
    ['date', '2024-2-29', false],
    ['date', 0, false],
  ] as const)('%s takes %p: %p', (type, value, fits) => {
    expect(columns[type].fault(value) === undefined).toBe(fits);
  });
});
