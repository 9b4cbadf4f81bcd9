import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger, StreamId } from '@bento-bus/core';
import { fault, isAnswerLost } from './errors.ts';
import { eventColumns, sealRow } from './event-row.ts';
import { HeadCache, streamKey } from './head-cache.ts';
import { pieces } from './lists.ts';
import type { Settings, Sql } from './sql.ts';
import { whole } from './sql.ts';
import { tables } from './tables.ts';

/** Options of a {@link Log}. */
export interface LogOptions {
  readonly sql: Sql;
  readonly identity: string;
  readonly headCacheSize: number;
  readonly logger: Logger;
}

// A batch must be one block: only then is it stored whole or not at all, and dropped whole by its token.
const oneBlock: Settings = {
  insert_deduplicate: 1,
  max_partitions_per_insert_block: 1,
  throw_on_max_partitions_per_insert_block: 1,
  max_insert_block_size: 1_048_576,
  min_insert_block_size_rows: 1_048_576,
  min_insert_block_size_bytes: 268_435_456,
  input_format_parallel_parsing: 0,
};

/**
 * A tail not confirmed for this long is read again before a batch goes out: the deduplication window forgets a batch number after
 * 100,000 further batches, which take at least a minute, and a writer that far behind must not claim it again. Milliseconds.
 */
const freshMs = 10_000;
/** Farther behind than this, forgetting the cached heads is cheaper than reading what happened. Batches. */
const catchUp = 64;
const maxAttempts = 5;
/** Wait before the second attempt, doubled each time: five take less than a second. Milliseconds. */
const retryMs = 25;
const maxOrphans = 100;

/**
 * The tail of the one optimistic log, as this writer knows it. Every batch of the log has a number, and a batch can be stored under
 * a number once: its deduplication token is made of the number. So whoever stores batch n + 1 has validated against everything up to n.
 */
export class Log {
  readonly heads: HeadCache;
  readonly #sql: Sql;
  readonly #identity: string;
  readonly #logger: Logger;
  readonly #headCacheSize: number;
  readonly #doing: string;
  /** Unique per instance; with the counter, per attempt at a batch, so that reading back the writer is unambiguous. */
  readonly #instance: string = randomBytes(9).toString('base64url');
  #attempts = 0;
  #tail = 0;
  #freshAt = Number.NEGATIVE_INFINITY;

  constructor({ sql, identity, headCacheSize, logger }: LogOptions) {
    this.#sql = sql;
    this.#identity = identity;
    this.#logger = logger;
    this.#headCacheSize = headCacheSize;
    this.#doing = `append to the log of database "${sql.database}"`;
    this.heads = new HeadCache(headCacheSize);
  }

  /** Number of the last batch of the log; 0 for an empty log. Costs a look at the parts' metadata. */
  async lastBatch(doing: string, signal?: AbortSignal): Promise<number> {
    const [row] = await this.#sql.select<[number | string]>(doing, `SELECT max(batch) FROM ${this.#table}`, { signal });
    return Number(row?.[0] ?? 0);
  }

  /** Reads what other writers appended. */
  async refresh(): Promise<void> {
    const last = await this.lastBatch(this.#doing);
    if (last - this.#tail > catchUp) this.heads.clear();
    else if (last > this.#tail) await this.#readHeads(this.#tail, last);
    this.#tail = Math.max(this.#tail, last);
    this.#freshAt = Date.now();
  }

  async #readHeads(after: number, through: number): Promise<void> {
    const rows = await this.#sql.select<[string, string, number]>(
      this.#doing,
      `SELECT aggregate_type, aggregate_id, max(version) FROM ${this.#table}
       WHERE batch > ${whole(after)} AND batch <= ${whole(through)}
       GROUP BY aggregate_type, aggregate_id LIMIT ${whole(this.#headCacheSize)}`,
    );
    if (rows.length >= this.#headCacheSize) this.heads.clear();
    else for (const [type, id, head] of rows) this.heads.report(streamKey({ type, id }), head);
  }

  /** Heads as of the tail or later: cached, the unknown ones by one query a stream type. */
  async headsOf(streams: Iterable<StreamId>): Promise<Map<string, number>> {
    if (this.#isStale()) await this.refresh();
    const heads = new Map<string, number>();
    const unknown = new Map<string, Set<string>>();
    for (const stream of streams) {
      const key = streamKey(stream);
      const head = this.heads.get(key);
      if (head !== undefined) heads.set(key, head);
      else unknown.set(stream.type, (unknown.get(stream.type) ?? new Set()).add(stream.id));
    }
    for (const [type, list] of unknown)
      for (const ids of pieces(list)) {
        for (const id of ids) heads.set(streamKey({ type, id }), 0);
        for (const [id, head] of await this.#queryHeads(type, ids)) heads.set(streamKey({ type, id }), head);
      }
    return heads;
  }

  #queryHeads(type: string, ids: readonly string[]): Promise<[string, number][]> {
    return this.#sql.select(
      this.#doing,
      `SELECT aggregate_id, max(version) FROM ${this.#table}
       WHERE aggregate_type = {type:String} AND aggregate_id IN {ids:Array(String)} GROUP BY aggregate_id`,
      { params: { type, ids }, settings: { max_threads: 1 } },
    );
  }

  /**
   * Stores the rows as the batch after the tail. Resolves with its number, or with undefined when another writer took the number: then
   * the tail has moved and all must be validated again. A rejection leaves open whether the rows are stored.
   */
  async append(rows: readonly string[], newHeads: ReadonlyMap<string, number>): Promise<number | undefined> {
    if (this.#isStale()) {
      const before = this.#tail;
      await this.refresh();
      if (this.#tail !== before) return undefined;
    }
    const batch = this.#tail + 1;
    let stored: boolean;
    try {
      stored = await this.#store(batch, rows);
    } catch (error) {
      this.#freshAt = Number.NEGATIVE_INFINITY;
      throw error;
    }
    if (!stored) {
      await this.refresh();
      return undefined;
    }
    this.#tail = batch;
    this.#freshAt = Date.now();
    for (const [key, head] of newHeads) this.heads.report(key, head);
    return batch;
  }

  /** True: mine. False: another writer's. */
  async #store(batch: number, rows: readonly string[]): Promise<boolean> {
    const writer = `${this.#instance}.${(this.#attempts += 1)}`;
    const body = rows.map((row, idx) => sealRow(row, batch, idx, writer)).join('');
    for (let orphans = 0; orphans < maxOrphans; orphans += 1) {
      const found = await this.#insert(batch, writer, body, orphans === 0 ? '' : `#${orphans}`);
      if (found !== undefined) return found === writer;
      this.#logger.warn('clickhouse-store: a deduplication token outlived its rows; using the next', {
        database: this.#sql.database,
        batch,
        orphans: orphans + 1,
      });
    }
    throw fault(
      'CONFIGURATION',
      this.#doing,
      `batch ${batch} was accepted ${maxOrphans} times and never stored`,
      `See that table ${tables.events} is the one that Bento Bus made.`,
    );
  }

  /** Whose the batch is once the insert has a definite answer. Undefined: nobody's, although the token is known: it is orphaned. */
  async #insert(batch: number, writer: string, body: string, suffix: string): Promise<string | undefined> {
    const token = createHash('sha256').update(`${this.#identity}/log/${batch}${suffix}`).digest('hex');
    for (let attempt = 1; ; attempt += 1) {
      let failure: unknown;
      try {
        await this.#sql.insert(this.#doing, {
          table: tables.events,
          columns: eventColumns,
          body,
          settings: { ...oneBlock, insert_deduplication_token: token },
        });
      } catch (error) {
        failure = error;
      }
      const found = await this.#writerOf(batch, writer);
      if (found !== undefined || failure === undefined) return found;
      // Only a lost answer may be asked for again, and only with the same rows and token: the first insert may still be on its way.
      if (!isAnswerLost(failure) || attempt === maxAttempts) throw failure;
      this.#logger.warn('clickhouse-store: no answer to an insert; sending it again', {
        batch,
        attempt,
        error: failure,
      });
      await delay(retryMs * 2 ** attempt);
    }
  }

  async #writerOf(batch: number, mine: string): Promise<string | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const rows = await this.#sql.select<[string]>(
          this.#doing,
          `SELECT DISTINCT writer FROM ${this.#table} WHERE batch = ${whole(batch)}`,
          { settings: { max_threads: 1 } },
        );
        if (rows.length > 1)
          throw fault(
            'CONFIGURATION',
            this.#doing,
            `batch ${batch} has ${rows.length} writers (${mine} is this one), so the server forgot its deduplication token`,
            `Restore non_replicated_deduplication_window of table ${tables.events} and look at the versions of the streams in this batch.`,
          );
        return rows[0]?.[0];
      } catch (error) {
        if (!isAnswerLost(error) || attempt === maxAttempts) throw error;
        await delay(retryMs * 2 ** attempt);
      }
    }
  }

  #isStale(): boolean {
    const age = Date.now() - this.#freshAt;
    return age < 0 || age > freshMs;
  }

  get #table(): string {
    return this.#sql.table(tables.events);
  }
}
