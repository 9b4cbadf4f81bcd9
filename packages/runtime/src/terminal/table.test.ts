import { describe, expect, it } from '@jest/globals';
import { counted } from './counts.ts';
import { facts, table } from './table.ts';

const paint = (text: string): string => `<${text}>`;

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

  it('aligns what is painted by what is seen of it', () => {
    const rows = [
      [{ text: 'x', paint }, 'y'],
      ['long', { text: '', paint }],
    ];
    expect(table([{ title: 'A' }, { title: 'B' }], rows)).toBe('A     B\n<x>     y\nlong\n');
  });

  it('lets no control character of imported text reach the terminal', () => {
    const text = '\u001b[31mred\nline\u009b';
    expect(table([{ title: 'Name' }], [[text]])).toBe('Name\n [31mred line\n');
    expect(table([{ title: text }], [])).toBe(' [31mred line\n');
    expect(facts([['Name', text]])).toBe('Name   [31mred line\n');
  });

  it('takes any number of rows, as facts do', () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => [`${i}`, 'x'] as const);
    expect(table([{ title: 'A' }, { title: 'B' }], rows).split('\n')[200_000]).toBe('199999  x');
    expect(facts(rows)).toMatch(/^0 {7}x\n/);
  });
});

it('counts are grouped, and one is one', () => {
  expect([counted(1, 'message'), counted(2_000, 'message'), counted(0, 'reply', 'replies')]).toEqual([
    '1 message',
    '2,000 messages',
    '0 replies',
  ]);
});
