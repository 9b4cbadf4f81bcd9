import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { type CsvRow, csvRows } from './csv-rows.ts';
import { ImportFileError } from './errors.ts';
import { invoiceColumns } from './invoice-row.ts';

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'reading it is not permitted',
  EPERM: 'reading it is not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
};

const unreadable = (file: string, error: unknown): ImportFileError => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new ImportFileError(file, causes[code] ?? message, 'Name a CSV file that you may read.', { cause: error });
};

/** An open CSV file of invoices that can be read several times. Reads the same file throughout, also when another takes its name. */
export class InvoiceFile implements AsyncDisposable {
  readonly name: string;
  readonly #handle: FileHandle;
  readonly #version: string;

  private constructor(name: string, handle: FileHandle, version: string) {
    this.name = name;
    this.#handle = handle;
    this.#version = version;
  }

  /** Throws an {@link ImportFileError} for what is no readable regular file with the header of invoices. */
  static async open(name: string): Promise<InvoiceFile> {
    // Non-blocking: a pipe would be waited for before it can be told from a file.
    const handle = await open(name, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      throw unreadable(name, error);
    });
    try {
      const stats = await handle.stat();
      if (stats.isDirectory()) throw unreadable(name, { code: 'EISDIR' });
      if (!stats.isFile())
        throw new ImportFileError(name, 'it is not a regular file, and it is read twice', 'Save it to a file first.');
      if (stats.size === 0)
        throw new ImportFileError(name, 'it is empty', `It must begin with ${invoiceColumns.join(',')}.`);
      const file = new InvoiceFile(name, handle, await versionOf(handle));
      for await (const _ of file.rows()) break;
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The rows after the header, in file order. Throws an {@link ImportFileError} when the header is another one or the file has changed since it was opened. */
  async *rows(): AsyncGenerator<readonly CsvRow[]> {
    let header: CsvRow | undefined;
    for await (const batch of this.#read()) {
      if (header !== undefined) yield batch;
      else if (batch.length > 0) {
        [header] = batch;
        this.#checkHeader(header);
        yield batch.slice(1);
      }
    }
    this.#checkHeader(header);
    if ((await versionOf(this.#handle)) !== this.#version)
      throw new ImportFileError(
        this.name,
        'it was changed while it was read',
        'Import it again once it is complete: what is imported already is then left as it is.',
      );
  }

  async *#read(): AsyncGenerator<readonly CsvRow[]> {
    try {
      yield* csvRows(this.#handle);
    } catch (error) {
      throw unreadable(this.name, error);
    }
  }

  #checkHeader(header: CsvRow | undefined): void {
    const same = header?.fault === undefined && header?.fields.join('\n') === invoiceColumns.join('\n');
    if (!same)
      throw new ImportFileError(
        this.name,
        'it is not a CSV of invoices',
        `Its first line must be ${invoiceColumns.join(',')} in UTF-8.`,
      );
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const versionOf = async (handle: FileHandle): Promise<string> => {
  const { size, mtimeNs } = await handle.stat({ bigint: true });
  return `${size} ${mtimeNs}`;
};
