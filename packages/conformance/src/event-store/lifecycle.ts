import assert from 'node:assert/strict';
import { isBentoError } from '@bento-bus/core';
import { rejection } from '../errors.ts';
import { assertStream, type EventStoreScenario, event, events, listed, scenario } from './context.ts';

export const lifecycleScenarios: readonly EventStoreScenario[] = [
  scenario('has an identity', [], async (c) => {
    assert.ok(typeof c.store.identity === 'string' && c.store.identity !== '');
  }),

  scenario('closes once, however often it is asked to', [], async (c) => {
    await c.store.saveEvents(c.stream(), events(1), 0);
    const first = c.store.close();
    assert.equal(c.store.close(), first, 'a second close returns the same promise');
    await c.within('closing', first);
    assert.equal(c.store.close(), first, 'a close after the close returns the same promise');
    await c.within('disposing', Promise.resolve(c.store[Symbol.asyncDispose]()));
  }),

  scenario('refuses everything after close with CLOSED', [], async (c) => {
    const stream = c.stream();
    await c.store.saveEvents(stream, events(1), 0);
    await c.within('closing', c.store.close());
    const read = async (): Promise<unknown> => listed(c.store.getEvents(stream));
    const readAll = async (): Promise<unknown> => listed(c.store.readAll(''));
    await rejection('saveEvents after close', c.store.saveEvents(stream, events(1), 1), 'CLOSED');
    await rejection('head after close', c.store.head(), 'CLOSED');
    await rejection('getEvents after close', read(), 'CLOSED');
    await rejection('readAll after close', readAll(), 'CLOSED');
  }),

  scenario('settles every append that a close meets', [], async (c) => {
    const appends = Array.from({ length: 20 }, () => c.store.saveEvents(c.stream(), events(2), 0));
    const outcomes = Promise.allSettled(appends);
    await c.within('closing', c.store.close());
    for (const outcome of await c.within('settling the appends', outcomes))
      assert.ok(
        outcome.status === 'fulfilled' || isBentoError(outcome.reason),
        `an append was rejected with something else than a BentoError`,
      );
  }),

  scenario(
    'shows a second store of the log what the first appended, and the other way round',
    ['second'],
    async (c) => {
      const second = await c.second();
      assert.equal(second.identity, c.store.identity, 'one log, one identity');
      const stream = c.stream();
      const sent = [event(), event(), event()];
      const first = await c.store.saveEvents(stream, sent.slice(0, 1), 0);
      assert.equal(await second.head(), first);
      await assertStream(second, stream, sent.slice(0, 1));
      await second.saveEvents(stream, sent.slice(1, 2), 1);
      await assertStream(c.store, stream, sent.slice(0, 2));
      await rejection(
        'appending at a version that the other took',
        c.store.saveEvents(stream, events(1), 1),
        'CONCURRENCY',
      );
      await c.store.saveEvents(stream, sent.slice(2), 2);
      await assertStream(second, stream, sent);
      // A retry at another store is a success as well.
      await second.saveEvents(stream, sent.slice(2), 2);
      await assertStream(c.store, stream, sent);
      assert.deepEqual(await c.all('', second), await c.all());
    },
  ),

  scenario('keeps what was confirmed when the store that confirmed it is closed', ['second'], async (c) => {
    const second = await c.second();
    const streams = Array.from({ length: 10 }, () => c.stream());
    const sent = streams.map(() => events(2));
    const appends = streams.map((stream, index) => c.store.saveEvents(stream, sent[index] ?? [], 0));
    const outcomes = Promise.allSettled(appends);
    await c.within('closing', c.store.close());
    for (const [index, { status }] of (await outcomes).entries())
      if (status === 'fulfilled') await assertStream(second, streams[index] ?? c.stream(), sent[index] ?? []);
    const stream = c.stream();
    const later = events(1);
    await second.saveEvents(stream, later, 0);
    await assertStream(second, stream, later);
  }),
];
