import { ConcurrencyError, type Position, type StreamId } from '@bento-bus/core';
import type { Call } from './batcher.ts';
import { streamKey } from './head-cache.ts';
import { groupBy, pieces } from './lists.ts';
import type { Log } from './log.ts';
import { toPosition } from './position.ts';
import type { Sql } from './sql.ts';
import { tables } from './tables.ts';

/** One `saveEvents` on its way. */
export interface Save {
  readonly stream: StreamId;
  readonly expectedVersion: number;
  readonly ids: readonly string[];
  /** Encoded events, without their place in the log. */
  readonly rows: readonly string[];
  /** Characters of the rows. */
  readonly size: number;
}

export type SaveCall = Call<Save, Position>;

interface Sorted {
  /** Fit onto the heads, one after the other; `heads` has what they lead to. */
  readonly accepted: SaveCall[];
  readonly heads: Map<string, number>;
  /** The stream has moved past them: conflicts, or retries of what is stored. */
  readonly behind: SaveCall[];
  /** The stream is not that far, as far as known. */
  readonly ahead: SaveCall[];
  /** Depend on an accepted one, whose fate is open. */
  readonly later: SaveCall[];
}

function sort(calls: readonly SaveCall[], known: ReadonlyMap<string, number>): Sorted {
  const sorted: Sorted = { accepted: [], heads: new Map(), behind: [], ahead: [], later: [] };
  for (const call of calls) {
    const { stream, expectedVersion, ids } = call.input;
    const key = streamKey(stream);
    const planned = sorted.heads.get(key);
    const head = planned ?? known.get(key) ?? 0;
    if (expectedVersion === head) {
      sorted.accepted.push(call);
      sorted.heads.set(key, head + ids.length);
    } else if (planned !== undefined) sorted.later.push(call);
    else if (expectedVersion < head) sorted.behind.push(call);
    else sorted.ahead.push(call);
  }
  return sorted;
}

/** Commits one group of saves as one batch of the log; returns those that must wait for the next group. */
export async function commitGroup(log: Log, sql: Sql, calls: readonly SaveCall[]): Promise<readonly SaveCall[]> {
  const later: SaveCall[] = [];
  let open = calls;
  let refreshed = false;
  while (open.length > 0) {
    const known = await log.headsOf(open.map(({ input }) => input.stream));
    const sorted = sort(open, known);
    later.push(...sorted.later);
    // Streams only grow: this verdict stands, whatever becomes of the batch.
    await settleBehind(sql, sorted.behind, known);
    if (refreshed) rejectAhead(sorted.ahead, known);
    else if (sorted.ahead.length > 0) {
      await log.refresh();
      refreshed = true;
      open = [...sorted.accepted, ...sorted.ahead];
      continue;
    }
    if (sorted.accepted.length === 0) break;
    const batch = await log.append(
      sorted.accepted.flatMap(({ input }) => input.rows),
      sorted.heads,
    );
    if (batch !== undefined) {
      resolveAll(sorted.accepted, batch);
      break;
    }
    refreshed = true;
    open = sorted.accepted;
  }
  return later;
}

function resolveAll(calls: readonly SaveCall[], batch: number): void {
  let idx = -1;
  for (const call of calls) {
    idx += call.input.ids.length;
    call.resolve(toPosition({ batch, idx }));
  }
}

function rejectAhead(calls: readonly SaveCall[], known: ReadonlyMap<string, number>): void {
  for (const { input, reject } of calls) reject(conflict(input, known));
}

const conflict = ({ stream, expectedVersion }: Save, known: ReadonlyMap<string, number>): ConcurrencyError =>
  new ConcurrencyError(stream, expectedVersion, known.get(streamKey(stream)) ?? 0);

/** Retries of what is stored get its position, the others a `ConcurrencyError`. One query a stream type. */
async function settleBehind(sql: Sql, calls: readonly SaveCall[], known: ReadonlyMap<string, number>): Promise<void> {
  for (const [type, ofType] of groupBy(calls, ({ input }) => input.stream.type))
    for (const some of pieces(groupBy(ofType, ({ input }) => input.stream.id))) {
      const stored = await storedVersions(sql, type, some);
      for (const { input, resolve, reject } of some.flatMap(([, ofStream]) => ofStream)) {
        const { stream, expectedVersion, ids } = input;
        const events = ids.map((_, i) => stored.get(versionKey(stream.id, expectedVersion + 1 + i)));
        const last = events.at(-1);
        if (last !== undefined && events.every((event, i) => event?.id === ids[i])) resolve(last.position);
        else reject(conflict(input, known));
      }
    }
}

const versionKey = (streamId: string, version: number): string => `${version}:${streamId}`;

type StoredVersions = Map<string, { readonly id: string; readonly position: Position }>;

/** SQL of a bound that differs by stream. */
const bound = (param: string): string =>
  `transform(aggregate_id, {ids:Array(String)}, {${param}:Array(UInt32)}, toUInt32(0))`;

/** Ids and positions of the versions that the saves want to be, by {@link versionKey}. */
async function storedVersions(
  sql: Sql,
  type: string,
  streams: readonly (readonly [id: string, calls: readonly SaveCall[]])[],
): Promise<StoredVersions> {
  const firsts = streams.map(([, calls]) => Math.min(...calls.map(({ input }) => input.expectedVersion + 1)));
  const lasts = streams.map(([, calls]) =>
    Math.max(...calls.map(({ input }) => input.expectedVersion + input.ids.length)),
  );
  const rows = await sql.select<[string, number, string, number | string, number]>(
    `look up saved events of database "${sql.database}"`,
    `SELECT aggregate_id, version, event_id, batch, idx FROM ${sql.table(tables.events)}
     WHERE aggregate_type = {type:String} AND aggregate_id IN {ids:Array(String)}
       AND version >= ${bound('firsts')} AND version <= ${bound('lasts')}`,
    { params: { type, ids: streams.map(([id]) => id), firsts, lasts }, settings: { max_threads: 1 } },
  );
  return new Map(
    rows.map(([streamId, version, id, batch, idx]) => [
      versionKey(streamId, version),
      { id, position: toPosition({ batch: Number(batch), idx }) },
    ]),
  );
}
