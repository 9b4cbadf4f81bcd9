import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import { type Parser, parse } from 'csv-parse';

/** One record of a CSV file. */
export interface CsvRow {
  /** Number of its first physical line, from 1. */
  readonly line: number;
  /** As read; of a row with a fault, as far as they can be told. Bytes that are not UTF-8 are U+FFFD. */
  readonly fields: readonly string[];
  /** Why the fields cannot be trusted. */
  readonly fault?: string;
}

/** Longest row. Bytes. */
export const maxRowBytes = 1_000_000;

const chunkBytes = 256 * 1024;
const LF = 0x0a;
const CR = 0x0d;
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

const faults: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: 'a quote is opened and never closed',
  CSV_INVALID_CLOSING_QUOTE: 'a quote stands inside a quoted field; double it',
  INVALID_OPENING_QUOTE: 'a quote stands inside a field; quote the whole field and double the quotes in it',
  CSV_MAX_RECORD_SIZE: `longer than ${maxRowBytes} bytes`,
};

function faultOf(error: unknown): string {
  const fault = faults[(error as { readonly code?: string }).code ?? ''];
  if (fault === undefined) throw error;
  return fault;
}

/**
 * Rows of an open file by RFC 4180, in file order, some at a time; a byte order mark and empty lines are passed over, LF ends a row
 * as CRLF does.
 *
 * A broken quote costs one line, not the rest of the file: where the parser stops, the physical line that the broken row began on
 * becomes a row with a `fault` (its fields cut at the commas), and reading goes on behind it.
 */
export async function* csvRows(file: FileHandle): AsyncGenerator<readonly CsvRow[]> {
  const reader = new RowReader();
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position);
    if (bytesRead === 0) break;
    let chunk = buffer.subarray(0, bytesRead);
    if (position === 0 && chunk.subarray(0, 3).equals(byteOrderMark)) chunk = chunk.subarray(3);
    position += bytesRead;
    yield await reader.read(chunk);
  }
  yield await reader.end();
}

/** Feeds csv-parse and keeps the bytes of the row at hand, for its line number, its check and a new start after a fault. */
class RowReader {
  #rows: CsvRow[] = [];
  /** Bytes from the end of the last complete row on. */
  #tail: Buffer = Buffer.alloc(0);
  #line = 1;
  /** The rest of a faulty line is passed over. */
  #skipping = false;
  #parser: Parser | undefined;
  /** How far into the parser's input the tail begins. */
  #consumed = 0;

  async read(chunk: Buffer): Promise<readonly CsvRow[]> {
    this.#tail = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    let input: Buffer | undefined = chunk;
    while (input !== undefined) input = await this.#feed(input);
    return this.#take();
  }

  async end(): Promise<readonly CsvRow[]> {
    while (this.#tail.length > 0 && !this.#skipping) {
      const error = await settled((done) => this.#parserNow().end(done));
      if (error === undefined) break;
      let input = this.#passFaultyLine(faultOf(error), true);
      while (input !== undefined) input = await this.#feed(input);
    }
    return this.#take();
  }

  #take(): readonly CsvRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** Parses some bytes; what is to be parsed anew after a fault comes back. */
  async #feed(input: Buffer): Promise<Buffer | undefined> {
    if (this.#skipping) return this.#skipLine();
    const error = await settled((done) => this.#parserNow().write(input, done));
    return error === undefined ? undefined : this.#passFaultyLine(faultOf(error), false);
  }

  #parserNow(): Parser {
    if (this.#parser !== undefined) return this.#parser;
    this.#consumed = 0;
    const parser = parse({
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: maxRowBytes,
      on_record: (fields, { bytes }) => {
        this.#complete(fields, bytes);
        return null;
      },
    });
    // Told by the callbacks of write and end.
    parser.on('error', () => {});
    parser.resume();
    return (this.#parser = parser);
  }

  #complete(fields: readonly string[], end: number): void {
    const row = this.#passEmptyLines(this.#tail.subarray(0, end - this.#consumed));
    const line = this.#line;
    this.#rows.push(isUtf8(row) ? { line, fields } : { line, fields, fault: 'not UTF-8' });
    this.#line += lines(row);
    this.#tail = this.#tail.subarray(end - this.#consumed);
    this.#consumed = end;
  }

  #passEmptyLines(row: Buffer): Buffer {
    let start = 0;
    for (;;) {
      if (row[start] === LF) start += 1;
      else if (row[start] === CR && row[start + 1] === LF) start += 2;
      else return row.subarray(start);
      this.#line += 1;
    }
  }

  #passFaultyLine(fault: string, atEnd: boolean): Buffer | undefined {
    this.#parser = undefined;
    this.#tail = this.#passEmptyLines(this.#tail);
    const end = this.#tail.indexOf(LF);
    const text = this.#tail
      .subarray(0, Math.min(end === -1 ? this.#tail.length : end, maxRowBytes))
      .toString()
      .replace(/\r$/, '');
    this.#rows.push({ line: this.#line, fields: text.split(','), fault });
    if (end === -1 && !atEnd) this.#skipping = true;
    return end === -1 ? this.#keep(this.#tail.length) : this.#keep(end + 1);
  }

  #skipLine(): Buffer | undefined {
    const end = this.#tail.indexOf(LF);
    this.#skipping = end === -1;
    return this.#keep(end === -1 ? this.#tail.length : end + 1);
  }

  #keep(from: number): Buffer | undefined {
    this.#line += lines(this.#tail.subarray(0, from));
    this.#tail = this.#tail.subarray(from);
    return this.#tail.length === 0 ? undefined : this.#tail;
  }
}

function lines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) count += 1;
  return count;
}

/** The error that a call reports through its callback, if any. */
const settled = (call: (done: (error?: Error | null) => void) => void): Promise<Error | undefined> =>
  new Promise((resolve) => {
    call((error) => resolve(error ?? undefined));
  });
