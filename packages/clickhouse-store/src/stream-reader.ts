import type { StoredEvent, StreamId } from '@bento-bus/core';
import { Batcher, type Call } from './batcher.ts';
import { decodeEvent, type EventRow, eventSelection } from './event-row.ts';
import { type HeadCache, streamKey } from './head-cache.ts';
import { groupBy } from './lists.ts';
import type { Sql } from './sql.ts';
import { whole } from './sql.ts';
import { tables } from './tables.ts';

interface Load {
  readonly stream: StreamId;
  readonly fromVersion: number;
}

/** A piece of a stream; `next` is where it goes on, undefined at its end. */
interface Piece {
  readonly events: readonly StoredEvent[];
  readonly next?: number;
}

type LoadCall = Call<Load, Piece>;

/** Rows of one query: adapted to what events weigh, so that an answer stays near `answerBytes`. */
const rowLimits = { first: 512, least: 16, most: 4_096 } as const;
const answerBytes = 8 * 1024 * 1024;
/** Streams of one query: 500 ids of usual length, or fewer long ones. Characters. */
const maxIds = 32_768;
const idOverhead = 32;

/**
 * Loads streams. Calls made together share a query a stream type, and whoever comes while queries are at work shares the next.
 * Each finished load tells the head cache where its stream ends, so that the save that follows needs no query.
 */
export class StreamReader {
  readonly #sql: Sql;
  readonly #heads: HeadCache;
  readonly #doing: string;
  readonly #loads: Batcher<Load, Piece>;
  #rowLimit: number = rowLimits.first;

  constructor(sql: Sql, heads: HeadCache) {
    this.#sql = sql;
    this.#heads = heads;
    this.#doing = `load streams of database "${sql.database}"`;
    this.#loads = new Batcher({
      run: (calls) => this.#run(calls),
      maxWeight: maxIds,
      weigh: ({ stream }) => stream.id.length + idOverhead,
      concurrency: 2,
    });
  }

  async *read(stream: StreamId, fromVersion: number): AsyncGenerator<StoredEvent> {
    for (let from: number | undefined = fromVersion; from !== undefined; ) {
      const piece: Piece = await this.#loads.call({ stream, fromVersion: from });
      yield* piece.events;
      from = piece.next;
    }
  }

  /** Resolves when no load waits or runs. */
  idle(): Promise<void> {
    return this.#loads.idle();
  }

  async #run(calls: readonly LoadCall[]): Promise<readonly LoadCall[]> {
    const again: LoadCall[] = [];
    for (const [type, ofType] of groupBy(calls, ({ input }) => input.stream.type)) {
      // One start a stream and query: who wants another start of a stream already asked for waits for the next.
      const starts = new Map<string, number>();
      const asked = ofType.filter(({ input: { stream, fromVersion } }) => {
        const start = starts.get(stream.id) ?? fromVersion;
        starts.set(stream.id, start);
        return start === fromVersion;
      });
      again.push(...ofType.filter((call) => !asked.includes(call)));
      await this.#load(type, starts, asked);
    }
    return again;
  }

  async #load(type: string, starts: ReadonlyMap<string, number>, calls: readonly LoadCall[]): Promise<void> {
    const limit = this.#rowLimit;
    const mark = this.#heads.mark();
    const rows = await this.#query(type, starts, limit);
    this.#adapt(rows);
    const events = groupBy(rows.map(decodeEvent), ({ stream }) => stream.id);
    const cut = rows.length < limit ? undefined : rows.at(-1)?.[2];
    for (const { input, resolve } of calls) {
      const { stream, fromVersion } = input;
      const found = events.get(stream.id) ?? [];
      const next = (found.at(-1)?.streamVersion ?? fromVersion - 1) + 1;
      // In an answer that was cut the last stream goes on, and a stream without rows may lie behind the cut.
      if (cut !== undefined && (found.length === 0 || stream.id === cut)) resolve({ events: found, next });
      else {
        if (found.length > 0 || fromVersion === 1) this.#heads.admit(streamKey(stream), next - 1, mark);
        resolve({ events: found });
      }
    }
  }

  #query(type: string, starts: ReadonlyMap<string, number>, limit: number): Promise<EventRow[]> {
    const ids = [...starts.keys()];
    const froms = [...starts.values()];
    const first = froms[0] ?? 1;
    const same = froms.every((from) => from === first);
    // With one start for all, the primary key also bounds the range above.
    const range = same
      ? `version >= ${whole(first)} AND version < ${whole(first + limit)}`
      : 'version >= transform(aggregate_id, {ids:Array(String)}, {froms:Array(UInt32)}, toUInt32(1))';
    return this.#sql.select<EventRow>(
      this.#doing,
      `SELECT ${eventSelection} FROM ${this.#sql.table(tables.events)}
       WHERE aggregate_type = {type:String} AND aggregate_id IN {ids:Array(String)} AND ${range}
       ORDER BY aggregate_type, aggregate_id, version LIMIT ${whole(limit)}`,
      { params: { type, ids, ...(!same && { froms }) }, settings: { max_threads: 1 } },
    );
  }

  #adapt(rows: readonly EventRow[]): void {
    if (rows.length === 0) return;
    const bytes = rows.reduce((sum, [, , , , , payload, metadata]) => sum + payload.length + metadata.length, 0);
    const fitting = Math.floor((answerBytes / Math.max(bytes, 1)) * rows.length);
    this.#rowLimit = Math.max(rowLimits.least, Math.min(rowLimits.most, fitting, this.#rowLimit * 2));
  }
}
