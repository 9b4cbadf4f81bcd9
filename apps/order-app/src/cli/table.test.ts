import { describe, expect, it } from '@jest/globals';
import { table } from './table.ts';

describe('table', () => {
  it('aligns columns and ends no line in spaces', () => {
    const columns = [{ title: 'Name' }, { title: 'Total', align: 'right' }, { title: 'Note' }] as const;
    expect(
      table(columns, [
        ['a', '1.00', 'x'],
        ['longer', '12345.00', ''],
      ]),
    ).toBe('Name       Total  Note\na           1.00  x\nlonger  12345.00\n');
  });

  it('lets no control character of imported text reach the terminal', () => {
    expect(table([{ title: 'Name' }], [['\u001b[31mred\nline\u009b']])).toBe('Name\n [31mred line\n');
  });
});
