import { type ClickHouse, createClickHouseEventStore } from '@bento-bus/clickhouse-store';
import { describeEventStore } from '@bento-bus/conformance';
import type { EventStore } from '@bento-bus/core';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { Engine } from './support/engine.ts';

const engine = new Engine();
let opened: ClickHouse;
beforeAll(async () => {
  opened = await engine.open();
});
afterAll(() => engine.close());

/** All scenarios share a log; each further store is a writer with a tail and a cache of its own. */
const open = (): Promise<EventStore> => createClickHouseEventStore(opened);

describeEventStore({ describe, it }, { name: 'ClickHouse, embedded', createStore: open, createSecond: open });
