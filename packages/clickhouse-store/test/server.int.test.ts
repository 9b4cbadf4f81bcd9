// Against a server: CLICKHOUSE_URL (with CLICKHOUSE_USER and CLICKHOUSE_PASSWORD), else the facade over the embedded engine.
import { randomUUID } from 'node:crypto';
import { createClickHouseEventStore, createClickHouseIdempotencyStore } from '@bento-bus/clickhouse-store';
import { describeEventStore, describeIdempotencyStore, type IdempotencyStoreWish } from '@bento-bus/conformance';
import type { EventStore, IdempotencyStore } from '@bento-bus/core';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { Engine } from './support/engine.ts';
import { credentials, type HttpFacade, httpFacade } from './support/http-facade.ts';

const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: username, CLICKHOUSE_PASSWORD: password } = process.env;
const engine = new Engine();
const database = `bento_test_${randomUUID().replaceAll('-', '')}`;
let facade: HttpFacade | undefined;
let client: ClickHouseClient;
beforeAll(async () => {
  if (url === undefined) {
    facade = await httpFacade((await engine.open()).client);
    client = createClient({ url: facade.url, ...credentials });
  } else client = createClient({ url, ...(username && { username }), ...(password && { password }) });
});
afterAll(async () => {
  await client.command({ query: `DROP DATABASE IF EXISTS ${database}` });
  await client.close();
  await facade?.close();
  await engine.close();
});

const open = (): Promise<EventStore> => createClickHouseEventStore({ client, database });

describeEventStore(
  { describe, it },
  { name: `ClickHouse by URL: ${url ?? 'the facade'}`, createStore: open, createSecond: open, deadlineMs: 30_000 },
);

const openIdempotency = (wish: IdempotencyStoreWish): Promise<IdempotencyStore> =>
  createClickHouseIdempotencyStore({ client, database, ...wish });

describeIdempotencyStore(
  { describe, it },
  {
    name: `ids in ClickHouse by URL: ${url ?? 'the facade'}`,
    createStore: openIdempotency,
    createSecond: (_, wish) => openIdempotency(wish),
    deadlineMs: 30_000,
  },
);
