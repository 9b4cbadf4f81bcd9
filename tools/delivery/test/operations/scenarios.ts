import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  connectOperations,
  createOperations,
  deleteLeftTails,
  newToken,
  type Operations,
  type OperationsParts,
  serveOperations,
} from '@bento-bus/admin';
import { createJsonCodec } from '@bento-bus/codecs';
import { eventually } from '@bento-bus/conformance';
import {
  canPublishCheckpointed,
  type Delivery,
  defineEvents,
  type MessagingAdmin,
  type Transport,
} from '@bento-bus/core';
import * as dlq from '@bento-bus/dlq';
import { createInMemoryEventStore, createRelay } from '@bento-bus/eventsourcing';
import { afterEach, expect, it } from '@jest/globals';
import { z } from 'zod';
import { openAdmin } from '../support/admin.ts';
import type { Backend } from '../support/backends.ts';
import { messageOf, textOf } from '../support/messages.ts';

const limit = 30_000;
const until = (what: string, check: () => boolean | Promise<boolean>): Promise<void> =>
  eventually(check, { what, deadlineMs: limit });

const textsOf = (messages: readonly Pick<Delivery, 'message'>[]): string[] => messages.map(textOf);

/** Operations over the ports, and over an endpoint, on any backend. */
export function operationsScenarios(backend: Backend): void {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });

  /** The same operations twice: as they are, and over loopback. */
  const open = async (
    transport: Transport,
    more: Partial<OperationsParts<dlq.ParkingStore>> = {},
  ): Promise<{ readonly admin: MessagingAdmin; readonly local: Operations; readonly remote: Operations }> => {
    const admin = openAdmin(backend, transport);
    const local = createOperations({ admin, transport, dlq, application: 'tests', ...more });
    const token = newToken();
    const handle = serveOperations(local, { token });
    const server = createServer((request, response) => {
      handle(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const remote = connectOperations({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token });
    closers.push(
      () => admin.close(),
      () => server.close(),
      () => server.closeAllConnections(),
      () => remote.close(),
    );
    return { admin, local, remote };
  };

  it('tells topics and groups, here and over the endpoint', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const { local, remote } = await open(transport);
    await local.createTopic(topic);
    expect(await remote.createTopic(topic)).toBe(false);
    await remote.createGroup(topic, 'mail', 'earliest');
    await remote.publish(topic, [messageOf('a', 'one'), messageOf('a', 'two')]);
    await until('the backlog', async () => (await remote.describeGroup(topic, 'mail')).backlog === 2);
    expect(await remote.describeGroup(topic, 'mail')).toEqual(await local.describeGroup(topic, 'mail'));
    expect(textsOf(await remote.peek(topic, 'mail'))).toEqual(['one', 'two']);
    expect(await remote.skip(topic, 'mail', 1)).toBe(1);
    expect(textsOf(await local.peek(topic, 'mail'))).toEqual(['two']);
    expect(await remote.listGroups(topic)).toContain('mail');
    expect(await remote.about()).toMatchObject({ backend: backend.name, application: 'tests', remote: true });
    await expect(remote.describeTopic(`${topic}-none`)).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
    await expect(remote.relay()).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  }, 60_000);

  it('tails a topic from its beginning, as it comes, and leaves no group behind', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const { local, remote } = await open(transport);
    await local.createTopic(topic);
    await transport.publish(topic, [messageOf('a', 'one'), messageOf('b', 'two')]);
    const seen: string[] = [];
    const done = (async () => {
      for await (const one of remote.tail(topic, { from: 'earliest' })) {
        seen.push(textOf(one));
        if (seen.length === 3) break;
      }
    })();
    await until('what was there', () => seen.length === 2);
    await transport.publish(topic, [messageOf('a', 'three')]);
    await done;
    expect(seen.toSorted()).toEqual(['one', 'three', 'two']);
    const idle: string[] = [];
    for await (const one of local.tail(topic, { from: 'earliest', idleMs: 1_500 })) idle.push(textOf(one));
    expect(idle).toHaveLength(3);
    await until('no group of it', async () => (await local.listGroups(topic)).length === 0);
    const unknown = remote.tail(`${topic}-none`)[Symbol.asyncIterator]();
    await expect(unknown.next()).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
  }, 60_000);

  it('deletes the groups of tails that were left, and no others', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const { admin, local } = await open(transport);
    await local.createTopic(topic);
    for (const group of ['bento-tail-left', 'read-models']) await local.createGroup(topic, group);
    const tailing = local.tail(topic)[Symbol.asyncIterator]();
    const first = tailing.next();
    await until('a tail at work', async () => {
      const own = (await local.listGroups(topic)).find((group) => /^bento-tail-\w+-/.test(group));
      return own !== undefined && (await local.describeGroup(topic, own)).members.length > 0;
    });
    await deleteLeftTails(admin, [`${topic}-none`, topic]);
    await transport.publish(topic, [messageOf('a', 'still read')]);
    expect(textOf((await first).value as Pick<Delivery, 'message'>)).toBe('still read');
    await tailing.return?.();
    await until('only the other group', async () => (await local.listGroups(topic)).join() === 'read-models');
  }, 60_000);

  it('lists dead letters without taking them, redrives and discards', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const { local, remote } = await open(transport);
    let mended = false;
    const handled: string[] = [];
    const handler = async (delivery: Delivery): Promise<void> => {
      if (!mended) throw Object.assign(new Error('the mail server is away'), { code: 'E_MAIL' });
      handled.push(textOf(delivery));
    };
    const use = [dlq.retry({ attempts: 1 })];
    await transport.subscribe([topic], handler, { group: 'mail-all', concurrency: 8, use });
    const messages = ['a', 'b', 'c', 'd'].map((text) => messageOf(text, text));
    await transport.publish(topic, messages);
    const count = async (): Promise<number> =>
      (await remote.failedPlaces()).find((place) => place.topic === topic)?.count ?? 0;
    await until('four dead letters', async () => (await count()) === 4);
    expect(await remote.failedPlaces()).toContainEqual({ topic, group: 'mail-all', count: 4 });

    const [first] = await remote.listFailed(topic, 'mail-all', { filter: { ids: [messages[0]?.id ?? ''] } });
    assert.ok(first);
    expect(first).toMatchObject({ kind: 'dead-letter', reason: 'exhausted', errorCode: 'E_MAIL', attempts: 1 });
    expect(textOf(first)).toBe('a');
    expect(textsOf(await local.listFailed(topic, 'mail-all')).toSorted()).toEqual(['a', 'b', 'c', 'd']);
    expect(await remote.redrive(topic, 'mail-all', { dryRun: true })).toMatchObject({ done: 4 });
    const last = { filter: { keys: ['d'] }, limit: 1 };
    expect(textsOf(await remote.listFailed(topic, 'mail-all', last))).toEqual(['d']);
    expect(await remote.discard(topic, 'mail-all', { ...last, dryRun: true })).toMatchObject({ done: 1 });

    mended = true;
    const one = await remote.redrive(topic, 'mail-all', { filter: { ids: [first.message.id] } });
    expect(one).toMatchObject({ done: 1 });
    await until('one handled', () => handled.length === 1);
    expect(handled).toEqual(['a']);
    expect(await remote.discard(topic, 'mail-all', { filter: { keys: ['b'] }, limit: 1 })).toMatchObject({ done: 1 });
    const progress: number[] = [];
    const rest = await remote.redrive(topic, 'mail-all', { onProgress: ({ done }) => progress.push(done) });
    expect(rest).toMatchObject({ done: 2 });
    expect(progress.at(-1)).toBe(2);
    await until('the rest handled', () => handled.length === 3);
    expect(handled.toSorted()).toEqual(['a', 'c', 'd']);
    await until('none left', async () => (await count()) === 0);
  }, 90_000);

  it('tells dead letters of places whose names meet from each other', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const { remote } = await open(transport);
    const places = [
      { topic: `${topic}-b`, group: 'c' },
      { topic, group: 'b-c' },
    ];
    let mended = false;
    const handled: string[] = [];
    for (const place of places) {
      const handler = async (delivery: Delivery): Promise<void> => {
        if (!mended) throw new Error('not yet');
        handled.push(`${place.group} ${textOf(delivery)}`);
      };
      await transport.subscribe([place.topic], handler, { group: place.group, use: [dlq.retry({ attempts: 1 })] });
      await transport.publish(place.topic, [messageOf('k', `to ${place.group}`)]);
    }
    const listed = async (place: { topic: string; group: string }): Promise<string[]> =>
      textsOf(await remote.listFailed(place.topic, place.group));
    await until('both', async () => (await Promise.all(places.map(listed))).flat().length === 2);
    expect(await Promise.all(places.map(listed))).toEqual([['to c'], ['to b-c']]);
    const known = (await remote.failedPlaces()).filter((place) => place.topic.startsWith(topic));
    expect(known.map(({ group }) => group).toSorted()).toEqual(['b-c', 'c']);
    mended = true;
    expect(await remote.discard(topic, 'b-c', { limit: 1 })).toMatchObject({ done: 1 });
    expect(await Promise.all(places.map(listed))).toEqual([['to c'], []]);
    expect(await remote.redrive(`${topic}-b`, 'c', { limit: 1 })).toMatchObject({ done: 1 });
    await until('it is handled', () => handled.length > 0);
    expect(handled).toEqual(['c to c']);
  }, 60_000);

  it('lists parked messages with the dead letters, and gives them their turn', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const parking = dlq.createParkingStore({ store: createInMemoryEventStore() });
    const { remote } = await open(transport, { parking, places: [{ topic, group: 'mail' }] });
    let mended = false;
    const handled: string[] = [];
    const handler = async (delivery: Delivery): Promise<void> => {
      if (!mended && delivery.message.key === 'a') throw new Error('not yet');
      handled.push(textOf(delivery));
    };
    const use = [dlq.retry({ attempts: 1, sequence: 'key', parking })];
    await transport.subscribe([topic], handler, { group: 'mail', concurrency: 4, use });
    await transport.publish(topic, [messageOf('a', 'a1'), messageOf('a', 'a2'), messageOf('b', 'b1')]);
    await until('it is parked', async () => (await remote.listFailed(topic, 'mail')).length === 1);
    const [parked] = await remote.listFailed(topic, 'mail');
    expect(parked).toMatchObject({ kind: 'parked', error: 'not yet', attempts: 1 });
    mended = true;
    expect(await remote.redrive(topic, 'mail')).toMatchObject({ done: 1 });
    await until('all handled', () => handled.length === 3);
    expect(handled.filter((text) => text.startsWith('a'))).toEqual(['a1', 'a2']);
    await until('none left', async () => (await remote.listFailed(topic, 'mail')).length === 0);
  }, 60_000);

  it('sees how far a log is published: by the relay, and, on a broker, from outside', async () => {
    const transport = await backend.open();
    assert.ok(canPublishCheckpointed(transport));
    const topic = backend.topic();
    const store = createInMemoryEventStore();
    const catalogue = defineEvents({ topic }, { 'order.placed': { version: 1, schema: z.object({ n: z.int() }) } });
    const append = (n: number): Promise<string> =>
      store.saveEvents(
        { type: 'order', id: 'o' },
        [{ id: `e${n}`, type: 'order.placed', version: 1, data: { n }, time: Date.now() }],
        n - 1,
      );
    for (const n of [1, 2, 3]) await append(n);
    const relay = createRelay({
      store,
      transport,
      catalogues: [catalogue],
      codec: createJsonCodec(),
      source: '/tests',
      pollMs: 50,
    });
    const inside = await open(transport, { store, relay });
    expect(await inside.remote.relay()).toMatchObject({ state: 'running', behind: 3 });
    await relay.start();
    await until('all published', async () => (await inside.remote.relay()).behind === 0);
    expect((await inside.remote.events()).map(({ id }) => id)).toEqual(['e1', 'e2', 'e3']);
    expect(await inside.remote.stream({ type: 'order', id: 'o' }, { from: 2, limit: 1 })).toMatchObject([{ id: 'e2' }]);
    await relay.close();
    await until('it has stopped', async () => (await inside.remote.relay()).state === 'stopped');
    await append(4);
    const outside = await open(transport, { store });
    const { position, behind, state } = await outside.remote.relay();
    // In process only the relay itself knows.
    const known = backend.name !== 'inprocess';
    expect({ state, behind, known: position !== '' }).toEqual({ state: 'unknown', behind: known ? 1 : 4, known });
  }, 60_000);
}
