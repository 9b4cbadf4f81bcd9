import type { Closeable, IdempotencyStore } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { Batcher, type Call } from '../batcher.ts';
import { closedError, invalid } from '../errors.ts';
import { pieces } from '../lists.ts';
import { sqlOf } from '../options.ts';
import { ensureSchema } from '../schema.ts';
import type { Sql } from '../sql.ts';
import { toTime } from '../time.ts';
import { isWellFormed } from '../well-formed.ts';
import { checkIdempotencyOptions, type IdempotencyStoreOptions } from './options.ts';
import { ensureTable, tableName } from './table.ts';

interface Question {
  readonly scope: string;
  readonly ids: readonly string[];
}

/** Ids and characters of one statement: what is asked for travels as parameters, which the server limits. */
const maxIds = 1_000;
const maxCharacters = 256 * 1024;

/** One for an id, and as much more as its text takes of a statement. */
const weigh = ({ ids }: Question): number =>
  ids.reduce((sum, id) => sum + 1 + Math.floor((id.length * maxIds) / maxCharacters), 0);

class ClickHouseIdempotencyStore implements IdempotencyStore {
  readonly #sql: Sql;
  readonly #ttlMs: number;
  readonly #now: () => number;
  readonly #checks: Batcher<Question, ReadonlySet<string>>;
  readonly #marks: Batcher<Question, void>;
  readonly #closeable: Closeable = closeOnce(() => this.#close());
  #closed = false;

  constructor(sql: Sql, { ttlMs = 86_400_000, now = Date.now }: IdempotencyStoreOptions) {
    this.#sql = sql;
    this.#ttlMs = ttlMs;
    this.#now = now;
    this.#checks = new Batcher({ run: (calls) => this.#look(calls), weigh, maxWeight: maxIds });
    this.#marks = new Batcher({ run: (calls) => this.#write(calls), weigh, maxWeight: maxIds });
  }

  async handled(scope: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    this.#check('look for handled messages', scope, ids);
    const found = new Set<string>();
    if (ids.length <= maxIds) return ids.length === 0 ? found : this.#checks.call({ scope, ids });
    for (const some of pieces(ids)) for (const id of await this.#checks.call({ scope, ids: some })) found.add(id);
    return found;
  }

  async mark(scope: string, ids: readonly string[]): Promise<void> {
    this.#check('mark messages as handled', scope, ids);
    if (ids.length > 0) await this.#marks.call({ scope, ids });
  }

  close(): Promise<void> {
    return this.#closeable.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#checks.idle(), this.#marks.idle()]);
  }

  /** One query for all. It may find more pairs than were asked for, never fewer. */
  async #look(calls: readonly Call<Question, ReadonlySet<string>>[]): Promise<readonly []> {
    const scopes = [...new Set(calls.map(({ input }) => input.scope))];
    const ids = [...new Set(calls.flatMap(({ input }) => input.ids))];
    const rows = await this.#sql.select<[string, string]>(
      'look for handled messages',
      `SELECT DISTINCT scope, id FROM ${this.#sql.table(tableName)}
       WHERE scope IN {scopes:Array(String)} AND id IN {ids:Array(String)} AND expires > fromUnixTimestamp64Milli({now:Int64}, 'UTC')`,
      { params: { scopes, ids, now: Math.floor(this.#now()) }, settings: { max_threads: 1 } },
    );
    const known = new Map(scopes.map((scope) => [scope, new Set<string>()]));
    for (const [scope, id] of rows) known.get(scope)?.add(id);
    for (const { input, resolve } of calls) {
      const found = known.get(input.scope);
      resolve(new Set(input.ids.filter((id) => found?.has(id))));
    }
    return [];
  }

  /** One insert for all. */
  async #write(calls: readonly Call<Question, void>[]): Promise<readonly []> {
    const expires = toTime(Math.ceil(this.#now() + this.#ttlMs));
    const rows = new Set(
      calls.flatMap(({ input: { scope, ids } }) => ids.map((id) => JSON.stringify([scope, id, expires]))),
    );
    await this.#sql.insert('mark messages as handled', {
      table: tableName,
      columns: ['scope', 'id', 'expires'],
      body: [...rows].join('\n'),
      settings: { insert_deduplicate: 0 },
    });
    for (const { resolve } of calls) resolve();
    return [];
  }

  #check(doing: string, scope: string, ids: readonly string[]): void {
    if (this.#closed) throw closedError(doing);
    const wrong = [scope, ...ids].find((text) => typeof text !== 'string' || !isWellFormed(text));
    if (wrong === undefined) return;
    throw invalid(
      doing,
      [{ path: '', message: `${JSON.stringify(wrong)} is not a well-formed string` }],
      'Pass strings.',
    );
  }
}

/**
 * An idempotency store on a client of yours, embedded or by URL (that of `openClickHouse` fits). A resolved mark survives SIGKILL. Questions
 * of deliveries at work together share a query, and marks an insert, at most 1,000 ids each. Expired ids are dropped by the day, so that
 * what there has been costs nothing. Errors as of {@link createClickHouseEventStore}; `VALIDATION` for ids that are no
 * well-formed strings.
 */
export async function createClickHouseIdempotencyStore(options: IdempotencyStoreOptions): Promise<IdempotencyStore> {
  checkIdempotencyOptions(options);
  const sql = sqlOf(options);
  await ensureSchema(sql, options);
  await ensureTable(sql, options.replicated ?? false);
  return new ClickHouseIdempotencyStore(sql, options);
}
