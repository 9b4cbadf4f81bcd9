import type { Closeable } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { inUse, opening, prepareDirectory } from './data-directory.ts';
import { fault, reasonOf, toBentoError } from './errors.ts';

/** A client on the engine in this process. */
export interface EmbeddedClient extends Closeable {
  readonly client: ClickHouseClient;
}

/**
 * What the engine is started with. Its caches may grow to gigabytes by default, meant for a machine of its own; these bounds keep an
 * application of this size under 1 GB.
 */
const engineArguments: readonly string[] = [
  '--mark_cache_size=67108864',
  '--primary_index_cache_size=67108864',
  '--index_mark_cache_size=16777216',
  '--query_condition_cache_size=16777216',
];

const alternatives =
  'Install it (npm install chdb; Linux with glibc or macOS, x64 or arm64), or use a server (option url, CLICKHOUSE_HOST).';

/** Clients open in this process. */
let opened = 0;

/**
 * Opens a data directory with the embedded engine. The first client of a process starts the engine, further ones on the same path
 * share it. The engine's package is loaded here and not before.
 * Throws `UNSUPPORTED` without the package or on a platform it does not know, and what {@link prepareDirectory} throws.
 */
export async function openEmbedded(path: string): Promise<EmbeddedClient> {
  const engine = await loadEngine(path);
  const directory = await prepareDirectory(path);
  try {
    // The arguments of whoever opens first count; the connection below joins this one's engine.
    const session = new engine.Session(directory, { connectionArgs: engineArguments });
    const connection = engine.createChdbConnection({ path: directory }) as unknown as Connection;
    const client = createClient({ connection });
    opened += 1;
    return {
      client,
      ...closeOnce(async () => {
        await client.close();
        session.close();
        opened -= 1;
        // The directory is free only when statements under way have ended. Those of a client that stays open never need to.
        if (opened === 0) await engine.drainPending();
      }),
    };
  } catch (cause) {
    throw openingError(path, cause);
  }
}

/** chdb implements the client's interface as of its own copy of the types; class instances in them make the two differ by name only. */
type Connection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

interface Engine extends Pick<typeof import('chdb'), 'Session' | 'drainPending'> {
  readonly createChdbConnection: typeof import('chdb/connection')['createChdbConnection'];
}

async function loadEngine(path: string): Promise<Engine> {
  try {
    const [{ Session, drainPending }, { createChdbConnection }] = await Promise.all([
      import('chdb'),
      import('chdb/connection'),
    ]);
    return { Session, drainPending, createChdbConnection };
  } catch (cause) {
    const { code } = cause as { readonly code?: unknown };
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    const reason = missing
      ? 'the embedded engine, package chdb, is not installed'
      : `the embedded engine, package chdb, does not run here (${process.platform}-${process.arch})`;
    throw fault('UNSUPPORTED', opening(path), reason, alternatives, cause);
  }
}

function openingError(path: string, cause: unknown): Error {
  const reason = reasonOf(cause);
  if (/only one active data directory|still releasing its connection/.test(reason))
    return fault(
      'CONFIGURATION',
      opening(path),
      'this process has the embedded engine open on another directory',
      'Close that first, or use one directory with several databases.',
      cause,
    );
  if (/Failed to create connection|Cannot lock file/.test(reason)) return inUse(path, undefined, cause);
  return toBentoError(cause, opening(path));
}
