import type { CheckpointStore, Closeable } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { Batcher, type Call } from './batcher.ts';
import { closedError, invalid } from './errors.ts';
import { pieces } from './lists.ts';
import { checkStoreOptions, type StoreOptions, sqlOf } from './options.ts';
import { ensureSchema } from './schema.ts';
import type { Sql } from './sql.ts';
import { tables } from './tables.ts';
import { isWellFormed } from './well-formed.ts';

interface Write {
  readonly name: string;
  readonly value: string;
}

/** Characters of one insert. */
const maxWriteSize = 1024 * 1024;

class ClickHouseCheckpointStore implements CheckpointStore {
  readonly #sql: Sql;
  readonly #writes: Batcher<Write, void>;
  /** Version last written of each name: the next is higher, whatever the clock does. */
  readonly #versions = new Map<string, number>();
  readonly #closeable: Closeable = closeOnce(() => this.#close());
  #closed = false;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.#writes = new Batcher({
      run: (calls) => this.#write(calls),
      weigh: ({ name, value }) => name.length + value.length,
      maxWeight: maxWriteSize,
    });
  }

  async read(name: string): Promise<string | undefined> {
    this.#assertOpen(`read checkpoint "${name}"`);
    const rows = await this.#sql.select<[string]>(
      `read checkpoint "${name}"`,
      `SELECT argMax(value, version) FROM ${this.#table} WHERE name = {name:String} GROUP BY name`,
      { params: { name }, settings: { max_threads: 1 } },
    );
    return rows[0]?.[0];
  }

  async write(name: string, value: string): Promise<void> {
    const doing = `write checkpoint "${name}"`;
    this.#assertOpen(doing);
    const issues = Object.entries({ name, value })
      .filter(([, text]) => typeof text !== 'string' || !isWellFormed(text))
      .map(([path]) => ({ path, message: 'is not a well-formed string' }));
    if (issues.length > 0) throw invalid(doing, issues, 'Pass strings.');
    await this.#writes.call({ name, value });
  }

  close(): Promise<void> {
    return this.#closeable.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    await this.#writes.idle();
  }

  /** One insert for all; of several writes of one name the last counts. */
  async #write(calls: readonly Call<Write, void>[]): Promise<readonly Call<Write, void>[]> {
    const last = new Map(calls.map(({ input }) => [input.name, input.value]));
    await this.#learnVersions([...last.keys()].filter((name) => !this.#versions.has(name)));
    const rows = [...last].map(([name, value]) => {
      const version = Math.max((this.#versions.get(name) ?? 0) + 1, Date.now());
      this.#versions.set(name, version);
      return JSON.stringify([name, value, version]);
    });
    await this.#sql.insert('write checkpoints', {
      table: tables.checkpoints,
      columns: ['name', 'value', 'version'],
      body: rows.join('\n'),
      settings: { insert_deduplicate: 0 },
    });
    for (const { resolve } of calls) resolve();
    return [];
  }

  /** The clock may have gone back since another process wrote. */
  async #learnVersions(names: readonly string[]): Promise<void> {
    for (const some of pieces(names)) {
      const rows = await this.#sql.select<[string, number | string]>(
        'write checkpoints',
        `SELECT name, max(version) FROM ${this.#table} WHERE name IN {names:Array(String)} GROUP BY name`,
        { params: { names: some }, settings: { max_threads: 1 } },
      );
      for (const name of some) this.#versions.set(name, 0);
      for (const [name, version] of rows) this.#versions.set(name, Number(version));
    }
  }

  get #table(): string {
    return this.#sql.table(tables.checkpoints);
  }

  #assertOpen(doing: string): void {
    if (this.#closed) throw closedError(doing);
  }
}

/** A checkpoint store on a prepared database. */
export const checkpointsOn = (sql: Sql): CheckpointStore => new ClickHouseCheckpointStore(sql);

/**
 * A checkpoint store on a client of yours. A resolved write survives SIGKILL. Writes that are made together share an insert, so that
 * thousands of groups cost what one costs. Of two processes that write one name the later write counts, by the clock to the millisecond.
 * Errors as of {@link createClickHouseEventStore}.
 */
export async function createClickHouseCheckpointStore(options: StoreOptions): Promise<CheckpointStore> {
  checkStoreOptions('open the checkpoint store', options);
  const sql = sqlOf(options);
  await ensureSchema(sql, options);
  return checkpointsOn(sql);
}
