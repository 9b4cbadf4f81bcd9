import { existsSync } from 'node:fs';
import type { CheckpointStore, Closeable, ReadModelStore } from '@bento-bus/core';
import { closeAll, closeOnce } from '@bento-bus/core/adapter';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { checkpointsOn } from './checkpoints.ts';
import { openEmbedded } from './embedded.ts';
import { type ClickHouseEventStore, eventStoreOn } from './event-store.ts';
import { checkOpenOptions, type OpenClickHouseOptions, sqlOf } from './options.ts';
import { readModelsOn } from './read-models.ts';
import { ensureSchema, missing } from './schema.ts';

/** Everything of this package on one client and one database. */
export interface ClickHouse extends Closeable {
  /** The stock client, for queries of your own. Name the database in them: `SELECT … FROM bento.events`. */
  readonly client: ClickHouseClient;
  readonly database: string;
  /** True on the engine in this process. */
  readonly embedded: boolean;
  readonly eventStore: ClickHouseEventStore;
  readonly checkpoints: CheckpointStore;
  readonly readModels: ReadModelStore;
}

/**
 * Opens ClickHouse: embedded in this process (`path`), a server (`url`), or through a client of yours (`client`). Makes what is
 * missing of the database and its tables, unless `create` is false. Closing waits for what is under way, then closes what was opened here.
 *
 * Errors, each one line: `CONFIGURATION` for options, for a directory or a database that is not ours, for a newer schema, with
 * `create: false` also for what is missing; `CONNECTION`
 * for a server that cannot be reached and a directory in use by another process; `AUTHENTICATION`; `AUTHORIZATION`; `UNSUPPORTED`
 * where the embedded engine is not installed or does not run.
 */
export async function openClickHouse(options: OpenClickHouseOptions): Promise<ClickHouse> {
  checkOpenOptions(options);
  const { path, create = true } = options;
  if (!create && path !== undefined && !existsSync(path))
    throw missing(`open directory "${path}"`, 'it does not exist');
  const { client, close } = await connect(options);
  try {
    const embedded = path !== undefined;
    const sql = sqlOf({ ...options, client });
    const { identity } = await ensureSchema(sql, { ...options, ...(embedded && { databaseEngine: 'Atomic' }) });
    const eventStore = eventStoreOn(sql, identity, options);
    const checkpoints = checkpointsOn(sql);
    const readModels = readModelsOn(sql, options.replicated);
    return {
      client,
      database: sql.database,
      embedded,
      eventStore,
      checkpoints,
      readModels,
      ...closeOnce(() =>
        closeAll([close, () => checkpoints.close(), () => readModels.close(), () => eventStore.close()]),
      ),
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function connect(
  options: OpenClickHouseOptions,
): Promise<{ readonly client: ClickHouseClient; readonly close: () => Promise<void> }> {
  const { path, client, url, username, password, requestTimeoutMs } = options;
  if (client !== undefined) return { client, close: async () => undefined };
  if (path !== undefined) return openEmbedded(path);
  const made = createClient({
    ...(url !== undefined && { url }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(requestTimeoutMs !== undefined && { request_timeout: requestTimeoutMs }),
    application: 'bento-bus',
    // Errors reach the caller typed; the client would print them as well.
    log: { level: ClickHouseLogLevel.OFF },
  });
  return { client: made, close: () => made.close() };
}
