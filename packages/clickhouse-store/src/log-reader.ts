import type { Position, StoredEvent } from '@bento-bus/core';
import { aborted } from './errors.ts';
import { decodeEvent, type EventRow, eventSelection } from './event-row.ts';
import { fromPosition, type Place, toPosition } from './position.ts';
import type { Sql } from './sql.ts';
import { whole } from './sql.ts';
import { tables } from './tables.ts';

/**
 * A page is closed before it exceeds these; one event alone may. Large, because a merged part is ordered by stream: a page costs nearly
 * the same whatever it takes of a part.
 */
const pageRows = 10_000;
const pageBytes = 8 * 1024 * 1024;
/** Readers whose started page is kept while they are away. */
const maxRests = 4;
/** Batches of one survey. */
const surveyBatches = 256;

interface BatchSize {
  readonly batch: number;
  readonly rows: number;
  readonly lastIdx: number;
  readonly bytes: number;
}

interface Survey {
  readonly from: number;
  readonly to: number;
  readonly sizes: readonly BatchSize[];
}

interface Page {
  readonly first: number;
  readonly last: number;
  readonly rows: number;
}

/**
 * Reads the log in commit order: first the sizes of a range of batches (lengths are columns of their own on disk, so no payload is
 * read), then pages of whole batches, cut so that memory stays flat whatever the events weigh. Both look only at parts
 * whose batches matter, so that the cost of a page does not grow with the log.
 */
export class LogReader {
  readonly #sql: Sql;
  readonly #lastBatch: (doing: string, signal?: AbortSignal) => Promise<number>;
  readonly #doing: string;
  /** Stored batches never change, so the last survey stays true. */
  #survey: Survey = { from: 1, to: 0, sizes: [] };
  /** Rows of started pages, by the position that the reader has reached. */
  readonly #rests = new Map<Position, readonly EventRow[]>();

  constructor(sql: Sql, lastBatch: (doing: string, signal?: AbortSignal) => Promise<number>) {
    this.#sql = sql;
    this.#lastBatch = lastBatch;
    this.#doing = `read the log of database "${sql.database}"`;
  }

  async head(): Promise<Position> {
    const batch = await this.#lastBatch(this.#doing);
    if (batch === 0) return '';
    const { sizes } = await this.#surveyFrom(batch, batch);
    return toPosition({ batch, idx: sizes.find((size) => size.batch === batch)?.lastIdx ?? 0 });
  }

  /** Events after a position up to the head as found at the start, at most `limit`. */
  async *read(after: Position, limit: number, signal: AbortSignal | undefined): AsyncGenerator<StoredEvent> {
    let left = limit;
    for await (const rows of this.#pages(after, limit, signal)) {
      for (const [i, row] of rows.entries()) {
        if (signal?.aborted === true) throw aborted(this.#doing);
        const event = decodeEvent(row);
        left -= 1;
        // Before the reader has it: it may come back for the rest at once.
        if (left === 0) this.#keepRest(event.position, rows.slice(i + 1));
        yield event;
        if (left === 0) return;
      }
    }
  }

  /** Pages after a position: the rest of one that a reader began, then from the server up to the head as found by then. */
  async *#pages(after: Position, limit: number, signal: AbortSignal | undefined): AsyncGenerator<readonly EventRow[]> {
    let at = fromPosition(after);
    if (limit === 0) return;
    const rest = this.#rests.get(after);
    if (rest !== undefined) {
      this.#rests.delete(after);
      yield rest;
      at = placeOf(rest) ?? at;
    }
    const end = await this.#lastBatch(this.#doing, signal);
    let from = Math.max(at.batch, 1);
    while (from <= end) {
      const survey = await this.#surveyFrom(from, end, signal);
      const page = nextPage(survey, at);
      if (page === undefined) {
        from = await this.#after(survey, signal);
        continue;
      }
      const rows = await this.#page(page, at, signal);
      yield rows;
      at = placeOf(rows) ?? { batch: page.last + 1, idx: -1 };
      from = at.batch;
    }
  }

  /** For the reader that comes back for what follows `position`, as readers with a limit do. */
  #keepRest(position: Position, rows: readonly EventRow[]): void {
    if (rows.length === 0) return;
    this.#rests.set(position, rows);
    const oldest = this.#rests.keys().next();
    if (this.#rests.size > maxRests && oldest.done !== true) this.#rests.delete(oldest.value);
  }

  /** Where to go on after a range that is read: the next one, beyond batches that an administrator has dropped. */
  async #after({ to, sizes }: Survey, signal: AbortSignal | undefined): Promise<number> {
    if (sizes.length > 0) return to + 1;
    const [row] = await this.#sql.select<[number | string]>(
      this.#doing,
      `SELECT min(batch) FROM ${this.#table} WHERE batch > ${whole(to)}`,
      { signal },
    );
    return Math.max(Number(row?.[0] ?? 0), to + 1);
  }

  /** A survey that begins with `from` or earlier and contains it. `end` is a batch that is stored. */
  async #surveyFrom(from: number, end: number, signal?: AbortSignal): Promise<Survey> {
    if (from >= this.#survey.from && from <= this.#survey.to) return this.#survey;
    const to = Math.min(end, from + surveyBatches - 1);
    const rows = await this.#sql.select<(number | string)[]>(
      this.#doing,
      `SELECT batch, count(), max(idx), sum(length(payload) + length(metadata)) FROM ${this.#table}
       WHERE batch >= ${whole(from)} AND batch <= ${whole(to)} GROUP BY batch ORDER BY batch`,
      { signal },
    );
    const sizes = rows.map((row) => {
      const [batch = 0, count = 0, lastIdx = 0, bytes = 0] = row.map(Number);
      return { batch, rows: count, lastIdx, bytes };
    });
    this.#survey = { from, to, sizes };
    return this.#survey;
  }

  #page({ first, last, rows }: Page, at: Place, signal: AbortSignal | undefined): Promise<EventRow[]> {
    const begun = first === at.batch && at.idx >= 0;
    const rest = begun ? ` AND (batch > ${whole(at.batch)} OR idx > ${whole(at.idx)})` : '';
    return this.#sql.select<EventRow>(
      this.#doing,
      `SELECT ${eventSelection} FROM ${this.#table}
       WHERE batch >= ${whole(first)} AND batch <= ${whole(last)}${rest} ORDER BY batch, idx LIMIT ${whole(rows)}`,
      { signal },
    );
  }

  get #table(): string {
    return this.#sql.table(tables.events);
  }
}

/** Place of the last row. */
function placeOf(rows: readonly EventRow[]): Place | undefined {
  const last = rows.at(-1);
  return last && { batch: Number(last[8]), idx: last[9] };
}

/** Batches that fit on a page after `at`; of one that is too large alone as many rows as do. Undefined: nothing after `at` here. */
function nextPage({ sizes }: Survey, at: Place): Page | undefined {
  let page: Page | undefined;
  let bytes = 0;
  for (const size of sizes) {
    const rows = size.batch === at.batch ? size.lastIdx - at.idx : size.rows;
    if (size.batch < at.batch || rows <= 0) continue;
    if (page === undefined) {
      const fitting = Math.max(1, Math.floor((pageBytes / size.bytes) * size.rows));
      page = { first: size.batch, last: size.batch, rows: Math.min(rows, fitting, pageRows) };
      if (page.rows < rows) return page;
    } else if (page.rows + rows > pageRows || bytes + size.bytes > pageBytes) return page;
    else page = { first: page.first, last: size.batch, rows: page.rows + rows };
    bytes += (size.bytes / size.rows) * rows;
  }
  return page;
}
