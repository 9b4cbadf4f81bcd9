import { execFileSync } from 'node:child_process';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InvoiceFile } from './invoice-file.ts';
import { invoiceColumns } from './invoice-row.ts';

const header = invoiceColumns.join(',');
const row = '1,A,MUG,1,12/1/10 8:26,1.00,,France';
let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'invoice-file-'));
  path = join(folder, 'file.csv');
});
afterAll(() => rm(folder, { recursive: true }));

const opening = async (content: string | Buffer): Promise<InvoiceFile> => {
  await writeFile(path, content);
  return InvoiceFile.open(path);
};
const linesOf = async (file: InvoiceFile): Promise<number[]> => {
  const lines: number[] = [];
  for await (const rows of file.rows()) lines.push(...rows.map(({ line }) => line));
  return lines;
};

describe('a file of invoices', () => {
  it('gives the rows after its header, as often as they are asked for', async () => {
    await using file = await opening(`\u{feff}\r\n${header}\r\n\r\n${row}\r\n${row}`);
    expect(await linesOf(file)).toEqual([4, 5]);
    expect(await linesOf(file)).toEqual([4, 5]);
  });

  it('may have no rows', async () => {
    await using file = await opening(header);
    expect(await linesOf(file)).toEqual([]);
  });

  it.each<[string, string | Buffer]>([
    ['text', 'hello\nworld\n'],
    ['another CSV', 'a,b,c\n1,2,3\n'],
    ['the columns in another order', `${invoiceColumns.toReversed().join(',')}\n`],
    ['a column more', `${header},More\n`],
    ['a column less', `${invoiceColumns.slice(1).join(',')}\n`],
    ['a CSV without header', `${row}\n`],
    ['empty lines', '\n\n\n'],
    ['UTF-16', Buffer.from(`\u{feff}${header}\n`, 'utf16le')],
    ['binary data', Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256))],
    ['a broken quote', `"${header}\n`],
    ['one endless line', 'x'.repeat(1_500_000)],
  ])('is not %s', async (_, content) => {
    await expect(opening(content)).rejects.toThrow(
      `order-app: cannot import "${path}": it is not a CSV of invoices. Its first line must be ${header} in UTF-8.`,
    );
  });

  it('is not empty, missing, a directory or a pipe', async () => {
    await expect(opening('')).rejects.toThrow(`it is empty. It must begin with ${header}.`);
    await expect(InvoiceFile.open(join(folder, 'none'))).rejects.toThrow('there is no such file. Name a CSV file');
    await expect(InvoiceFile.open(folder)).rejects.toThrow('it is a directory');
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(InvoiceFile.open(pipe)).rejects.toThrow('it is not a regular file, and it is read twice');
  });

  it('must not change while it is read', async () => {
    await using file = await opening(`${header}\n${row}\n`);
    await appendFile(path, `${row}\n`);
    await expect(linesOf(file)).rejects.toThrow('it was changed while it was read');
  });

  it('stays the same file when another takes its name', async () => {
    await using file = await opening(`${header}\n${row}\n`);
    await rm(path);
    await writeFile(path, 'other');
    expect(await linesOf(file)).toEqual([2]);
  });
});
