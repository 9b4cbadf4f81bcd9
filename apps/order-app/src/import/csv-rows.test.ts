import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CsvRow, csvRows, maxRowBytes } from './csv-rows.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'csv-rows-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function read(content: string | Buffer): Promise<CsvRow[]> {
  const path = join(folder, 'file.csv');
  await writeFile(path, content);
  const file = await open(path);
  try {
    const all: CsvRow[] = [];
    for await (const rows of csvRows(file)) all.push(...rows);
    return all;
  } finally {
    await file.close();
  }
}

/** Needs quotes, has umlauts and ends in a line break. */
const text = (i: number): string => `Größe ${i}, "${'é'.repeat(i % 23)}"\r\n`;

describe('csvRows', () => {
  it('gives fields and the number of the first physical line', async () => {
    expect(await read('a,b\n1,2\n3,\n')).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['1', '2'] },
      { line: 3, fields: ['3', ''] },
    ]);
  });

  it('counts the physical lines of quoted fields, of CRLF files and of empty lines', async () => {
    expect(await read('a,b\r\n\r\n\n1,"x\r\n\r\ny ""z"""\r\n4,5')).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 4, fields: ['1', 'x\r\n\r\ny "z"'] },
      { line: 7, fields: ['4', '5'] },
    ]);
  });

  it('passes over a byte order mark and keeps rows of any width', async () => {
    expect(await read('\u{feff}"a"\n1,2,3')).toEqual([
      { line: 1, fields: ['a'] },
      { line: 2, fields: ['1', '2', '3'] },
    ]);
  });

  it('loses only its own line to a quote that is never closed', async () => {
    expect(await read('a,b\n1,"x\n2,y\n3,z\n')).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['1', '"x'], fault: 'a quote is opened and never closed' },
      { line: 3, fields: ['2', 'y'] },
      { line: 4, fields: ['3', 'z'] },
    ]);
  });

  it('loses only their own lines to quotes in the wrong place', async () => {
    const rows = await read('12" ruler,1\n"a"b,2\r\n"open,3\n4,"well, quoted"\n\n5,"end');
    expect(rows.map(({ line, fields, fault }) => [line, fields, fault !== undefined])).toEqual([
      [1, ['12" ruler', '1'], true],
      [2, ['"a"b', '2'], true],
      [3, ['"open', '3'], true],
      [4, ['4', 'well, quoted'], false],
      [6, ['5', '"end'], true],
    ]);
  });

  it('gives a row with bytes that are not UTF-8 a fault, and no other', async () => {
    expect(await read(Buffer.from('caf\xe9,1\ncaf\u00c3\u00a9,2\n', 'latin1'))).toEqual([
      { line: 1, fields: ['caf\u{fffd}', '1'], fault: 'not UTF-8' },
      { line: 2, fields: ['café', '2'] },
    ]);
  });

  it('reads on behind a line that is too long', async () => {
    const rows = await read(`${'x'.repeat(maxRowBytes + 300_000)}\n1,2\n`);
    expect(rows.map(({ line, fault }) => [line, fault])).toEqual([
      [1, 'longer than 1000000 bytes'],
      [2, undefined],
    ]);
  });

  it('finds the same rows wherever the chunks of the file are cut', async () => {
    // Rows of many widths with quotes, CRLF and umlauts, over several chunks of 256 KB.
    const count = 20_000;
    const content = Array.from({ length: count }, (_, i) => `${i},"${text(i).replaceAll('"', '""')}"\r\n`).join('');
    const rows = await read(content);
    expect(rows).toHaveLength(count);
    expect(rows.findIndex(({ line, fields }, i) => line !== 2 * i + 1 || fields[1] !== text(i))).toBe(-1);
  });

  it('has no rows for an empty file', async () => {
    expect(await read('')).toEqual([]);
  });
});
