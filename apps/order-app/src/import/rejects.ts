import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { BentoError } from '@bento-bus/core';
import type { InvoiceFile } from './invoice-file.ts';
import { invoiceColumns, readInvoiceRow } from './invoice-row.ts';
import { disagreement, type Scan } from './scan.ts';

const header = ['Line', 'Reason', ...invoiceColumns].join(',');
/** A folder that cannot be written to: the rejects go into the data directory. */
const notWritable = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT']);

/** `shop.csv` → `shop.rejects.csv`; another name gets `.rejects.csv` behind it. */
const rejectsName = (file: string): string => `${basename(file).replace(/\.csv$/i, '')}.rejects.csv`;

const csvLine = (fields: readonly string[]): string =>
  fields.map((field) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');

/** Every row to reject with its reason, in file order. `differing`: invoices that are known with other content. */
async function* rejectedRows(file: InvoiceFile, scan: Scan, differing: ReadonlySet<string>): AsyncGenerator<string> {
  for await (const batch of file.rows()) {
    for (const csv of batch) {
      const read = readInvoiceRow(csv);
      const entry = scan.invoices.get(read.invoice);
      const own = read.fault ?? (entry === undefined ? undefined : disagreement(entry, read.row));
      const ofInvoice = entry?.fault === undefined ? undefined : `rejected with its invoice, ${entry.fault}`;
      const reason = own ?? ofInvoice ?? (differing.has(read.invoice) ? 'already imported, differs' : undefined);
      if (reason !== undefined) yield csvLine([`${csv.line}`, reason, ...csv.fields]);
    }
  }
}

/** Where rejected rows were written, and how many. */
export interface Rejects {
  readonly path: string;
  readonly rows: number;
}

/**
 * Writes the rejects of a file beside it, or into `dataDir` where its folder cannot be written to or the name is taken by a file that
 * is not of this kind. The file appears whole or not at all; the same input gives the same bytes. When nothing is rejected, the
 * rejects of an earlier run are removed.
 */
export async function writeRejects(
  file: InvoiceFile,
  scan: Scan,
  differing: ReadonlySet<string>,
  dataDir: string,
): Promise<Rejects | undefined> {
  const paths = [dirname(file.name), dataDir].map((folder) => join(folder, rejectsName(file.name)));
  const rejected = differing.size > 0 || scan.strays || scan.accepted < scan.invoices.size;
  const path = rejected ? await writeFirst(paths, rejectedRows(file, scan, differing)) : undefined;
  // Only the newest rejects of a file stay.
  for (const old of paths) if (old !== path?.path && (await isOurs(old)) === 'ours') await removeQuietly(old);
  return path;
}

async function writeFirst(paths: readonly string[], rows: AsyncGenerator<string>): Promise<Rejects> {
  let cause: unknown;
  for (const path of paths) {
    if ((await isOurs(path)) === 'foreign') continue;
    const temporary = `${path}.${randomUUID()}.tmp`;
    let handle: FileHandle;
    try {
      handle = await open(temporary, 'wx');
    } catch (error) {
      cause = error;
      if (notWritable.has((error as NodeJS.ErrnoException).code ?? '')) continue;
      break;
    }
    try {
      const count = await writeAll(handle, rows);
      await rename(temporary, path);
      return { path, rows: count };
    } catch (error) {
      await rm(temporary, { force: true });
      throw cannotWrite(path, error);
    }
  }
  throw cannotWrite(paths.join('" or "'), cause);
}

const cannotWrite = (path: string, cause: unknown): BentoError =>
  new BentoError(
    'VALIDATION',
    `order-app: cannot write the rejected rows to "${path}": ${cause instanceof Error ? cause.message : 'the names are taken by other files'}. What could be imported is imported; make room there and import again.`,
    false,
    { cause },
  );

async function writeAll(handle: FileHandle, rows: AsyncGenerator<string>): Promise<number> {
  let count = 0;
  try {
    let text = `${header}\n`;
    for await (const row of rows) {
      count += 1;
      text += `${row}\n`;
      if (text.length < 65_536) continue;
      await handle.write(text);
      text = '';
    }
    await handle.write(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return count;
}

/** Whether a path holds rejects of ours, something else, or nothing. */
async function isOurs(path: string): Promise<'ours' | 'foreign' | 'free'> {
  let handle: FileHandle;
  try {
    handle = await open(path);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'free' : 'foreign';
  }
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(header.length + 1), 0, header.length + 1, 0);
    return buffer.toString('utf8', 0, bytesRead) === `${header}\n` ? 'ours' : 'foreign';
  } catch {
    return 'foreign';
  } finally {
    await handle.close();
  }
}

/** Rejects of an earlier run in a folder that cannot be written to stay. */
const removeQuietly = (path: string): Promise<void> => rm(path, { force: true }).catch(() => {});
