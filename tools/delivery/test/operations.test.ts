import { createOperations } from '@bento-bus/admin';
import { eventually } from '@bento-bus/conformance';
import type { Delivery } from '@bento-bus/core';
import * as dlq from '@bento-bus/dlq';
import { createInMemoryEventStore } from '@bento-bus/eventsourcing';
import { describe, expect, it } from '@jest/globals';
import { operationsScenarios } from './operations/scenarios.ts';
import { openAdmin } from './support/admin.ts';
import { useBackend } from './support/backends.ts';
import { messageOf, textOf } from './support/messages.ts';

describe('Operations in process', () => {
  const backend = useBackend('inprocess');
  operationsScenarios(backend);

  it('counts, lists, redrives and discards more parked keys than are listed at once', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const parking = dlq.createParkingStore({ store: createInMemoryEventStore() });
    await using admin = openAdmin(backend, transport);
    const places = [{ topic, group: 'mail' }];
    const operations = createOperations({ admin, transport, dlq, parking, places });
    let mended = false;
    const handled: string[] = [];
    const handler = async (delivery: Delivery): Promise<void> => {
      if (!mended) throw new Error('not yet');
      handled.push(textOf(delivery));
    };
    const use = [dlq.retry({ attempts: 1, sequence: 'key', parking })];
    await transport.subscribe([topic], handler, { group: 'mail', concurrency: 200, use });
    const messages = Array.from({ length: 1_200 }, (_, i) => messageOf(`k${i}`, `m${i}`));
    await transport.publish(topic, messages);
    const count = async (): Promise<number> => (await operations.failedPlaces())[0]?.count ?? 0;
    await eventually(async () => (await count()) === 1_200, { what: 'all parked', deadlineMs: 30_000 });
    expect(await operations.listFailed(topic, 'mail')).toHaveLength(1_000);
    const [last] = await operations.listFailed(topic, 'mail', { filter: { keys: ['k1199'] } });
    expect(last && textOf(last)).toBe('m1199');
    const ids = messages.slice(-2).map(({ id }) => id);
    expect(await operations.discard(topic, 'mail', { filter: { ids } })).toMatchObject({ done: 2, complete: true });
    mended = true;
    expect(await operations.redrive(topic, 'mail', { limit: 3 })).toMatchObject({ done: 3, complete: false });
    expect(await operations.redrive(topic, 'mail')).toMatchObject({ complete: true });
    await eventually(() => handled.length === 1_198, { what: 'the others', deadlineMs: 30_000 });
    await eventually(async () => (await count()) === 0, { what: 'none left', deadlineMs: 30_000 });
  }, 60_000);
});
