import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouse, type OpenClickHouseOptions, openClickHouse } from '@bento-bus/clickhouse-store';
import type { NewEvent, StoredEvent, StreamId } from '@bento-bus/core';

/** One data directory with many databases: the engine serves one directory a process. */
export class Engine {
  readonly path: string = join(mkdtempSync(join(tmpdir(), 'bento-clickhouse-')), 'data');
  readonly #opened: ClickHouse[] = [];
  #databases = 0;

  /** A database that nobody has used. */
  newDatabase(): string {
    this.#databases += 1;
    return `test_${this.#databases}`;
  }

  /** Everything on the embedded engine; a new database unless one is named. */
  async open(options: Omit<OpenClickHouseOptions, 'path' | 'url' | 'client'> = {}): Promise<ClickHouse> {
    const opened = await openClickHouse({ path: this.path, database: this.newDatabase(), ...options });
    this.#opened.push(opened);
    return opened;
  }

  async close(): Promise<void> {
    for (const opened of this.#opened.toReversed()) await opened.close();
    rmSync(join(this.path, '..'), { recursive: true, force: true });
  }
}

let ids = 0;
/** An event with an id of its own. */
export const newEvent = (data: unknown = {}, overrides: Partial<NewEvent> = {}): NewEvent => {
  ids += 1;
  return {
    id: `event-${process.pid}-${ids}`,
    type: 'order.placed',
    version: 1,
    data,
    time: 1_700_000_000_000 + ids,
    ...overrides,
  };
};

/** Some events, numbered from 0 in `data.n`. */
export const newEvents = (count: number): NewEvent[] => Array.from({ length: count }, (_, n) => newEvent({ n }));

export const order = (id: string): StreamId => ({ type: 'order', id });

/** All of an iterable. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

export const dataOf = (events: readonly StoredEvent[]): unknown[] => events.map(({ data }) => data);

/** Runs `work` for each of `count` at once. */
export const times = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));

/** What was thrown, or a failure when nothing was. */
export async function thrown(
  work: Promise<unknown>,
): Promise<Error & { readonly code?: string; readonly retryable?: boolean }> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (outcome === undefined) throw new Error('nothing was thrown');
  return outcome as Error;
}
