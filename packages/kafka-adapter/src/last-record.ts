// What drivers share in reading: which of the records that were fetched count, and which is the last one.

/** A record as it lies in the log, control records included. */
export interface LoggedRecord {
  readonly offset: string;
  readonly key: string | Uint8Array | null;
  readonly isControlRecord: boolean;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean };
}

/** A transaction that was aborted. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: string;
}

/** Records of transactions that were committed, and records outside of transactions. */
export function committedOf<R extends LoggedRecord>(
  records: readonly R[],
  aborted: readonly AbortedTransaction[],
): readonly R[] {
  const starts = aborted.toSorted((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const open = new Set<string>();
  return records.filter(({ offset, key, isControlRecord, batchContext: { producerId, inTransaction } }) => {
    while (starts[0] !== undefined && Number(starts[0].firstOffset) <= Number(offset))
      open.add((starts.shift() as AbortedTransaction).producerId);
    // A control record's key: version and type, both int16; type 0 aborts.
    if (isControlRecord && key?.[3] === 0) open.delete(producerId);
    return !isControlRecord && !(inTransaction && open.has(producerId));
  });
}

/** What a fetch from an offset brought: its committed records, and where the next one begins. Undefined: nothing. */
export type FetchFrom<R> = (
  offset: number,
) => Promise<{ readonly records: readonly R[]; readonly next: number } | undefined>;

/** The committed records of a partition from `from` up to `end`, its last stable offset: below it every transaction has ended. */
export async function* recordsBetween<R extends { readonly offset: string }>(
  from: number,
  end: number,
  fetch: FetchFrom<R>,
): AsyncGenerator<R> {
  for (let next = from; next < end; ) {
    const fetched = await fetch(next);
    // What compaction has taken away at the end is never delivered.
    if (fetched === undefined || fetched.next <= next) return;
    // Batches come whole, also the part of the first one that was not asked for, and what came since.
    for (const record of fetched.records) {
      const at = Number(record.offset);
      if (at >= from && at < end) yield record;
    }
    next = fetched.next;
  }
}

/** The last of them. Looks at the end first, since a compacted topic is compacted late: then at twice as much, and so on. */
export async function lastBetween<R extends { readonly offset: string }>(
  begin: number,
  end: number,
  fetch: FetchFrom<R>,
): Promise<R | undefined> {
  for (let span = 64; ; span *= 2) {
    const from = Math.max(begin, end - span);
    let last: R | undefined;
    for await (const record of recordsBetween(from, end, fetch)) last = record;
    if (last !== undefined || from === begin) return last;
  }
}
