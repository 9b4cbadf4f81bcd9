import assert from 'node:assert/strict';
import { type ConcurrencyError, type EventStore, isBentoError, type NewEvent, type StreamId } from '@bento-bus/core';
import { rejection } from '../errors.ts';
import { assertStream, type EventStoreScenario, event, events, idsOf, listed, scenario } from './context.ts';

/** The append is refused: another writer was there first. */
async function conflict(
  store: EventStore,
  stream: StreamId,
  sent: readonly NewEvent[],
  expectedVersion: number,
  actualVersion: number,
): Promise<void> {
  const error = await rejection(
    `appending at version ${expectedVersion} to a stream at version ${actualVersion}`,
    store.saveEvents(stream, sent, expectedVersion),
    'CONCURRENCY',
  );
  assert.equal(error.retryable, true, 'load it again and decide again');
  const { expectedVersion: expected, actualVersion: actual } = error as ConcurrencyError;
  assert.deepEqual({ expected, actual }, { expected: expectedVersion, actual: actualVersion });
}

export const appendScenarios: readonly EventStoreScenario[] = [
  scenario('appends to a stream and reads it back, versions from 1 without gaps', [], async (c) => {
    const stream = c.stream();
    const sent = events(7);
    await c.store.saveEvents(stream, sent.slice(0, 1), 0);
    await c.store.saveEvents(stream, sent.slice(1, 4), 1);
    await c.store.saveEvents(stream, sent.slice(4), 4);
    await assertStream(c.store, stream, sent);
  }),

  scenario('resolves an append with the position of its last event, which is then the head', [], async (c) => {
    const stream = c.stream();
    const before = await c.store.head();
    const first = await c.store.saveEvents(stream, events(3), 0);
    assert.equal(await c.store.head(), first);
    const second = await c.store.saveEvents(c.stream(), events(1), 0);
    assert.equal(await c.store.head(), second);
    assert.ok(before < first && first < second, 'positions rise');
    const stored = await listed(c.store.getEvents(stream));
    assert.equal(stored.at(-1)?.position, first);
  }),

  scenario('refuses an append at another version than expected, and appends nothing of it', [], async (c) => {
    const stream = c.stream();
    await conflict(c.store, stream, events(1), 3, 0);
    const sent = events(5);
    await c.store.saveEvents(stream, sent, 0);
    const head = await c.store.head();
    await conflict(c.store, stream, events(2), 0, 5);
    await conflict(c.store, stream, events(2), 4, 5);
    await conflict(c.store, stream, events(2), 6, 5);
    await assertStream(c.store, stream, sent);
    assert.equal(await c.store.head(), head);
  }),

  scenario('takes the same events at the same version again as a success that appends nothing', [], async (c) => {
    const stream = c.stream();
    const sent = events(5);
    const first = await c.store.saveEvents(stream, sent.slice(0, 2), 0);
    const second = await c.store.saveEvents(stream, sent.slice(2, 4), 2);
    assert.equal(await c.store.saveEvents(stream, sent.slice(2, 4), 2), second);
    await c.store.saveEvents(stream, sent.slice(4), 4);
    // Also when the stream has moved on.
    assert.equal(await c.store.saveEvents(stream, sent.slice(0, 2), 0), first);
    assert.equal(await c.store.saveEvents(stream, sent.slice(2, 4), 2), second);
    await assertStream(c.store, stream, sent);
    assert.equal((await c.all()).length, sent.length);
  }),

  scenario('takes an append that is made twice at once as one', [], async (c) => {
    const stream = c.stream();
    const sent = events(3);
    const positions = await Promise.all([1, 2, 3].map(() => c.store.saveEvents(stream, sent, 0)));
    assert.equal(new Set(positions).size, 1, 'all get the position of the one append');
    await assertStream(c.store, stream, sent);
  }),

  scenario('refuses other events at a version that is taken, however similar', [], async (c) => {
    const stream = c.stream();
    const sent = events(4);
    await c.store.saveEvents(stream, sent.slice(0, 2), 0);
    const [first, second, third] = sent as [NewEvent, NewEvent, NewEvent];
    const others = {
      'another id': [first, event()],
      'another order': [second, first],
      'one more': [first, second, third],
    };
    for (const [what, other] of Object.entries(others))
      await rejection(`appending ${what}`, c.store.saveEvents(stream, other, 0), 'CONCURRENCY');
    await rejection(
      'appending the events again at a later version',
      c.store.saveEvents(stream, [second], 0),
      'CONCURRENCY',
    );
    await assertStream(c.store, stream, sent.slice(0, 2));
    // Ids count within their stream.
    const elsewhere = c.stream();
    await c.store.saveEvents(elsewhere, sent, 0);
    await assertStream(c.store, elsewhere, sent);
  }),

  scenario('refuses what it could not give back with VALIDATION, and appends nothing of it', [], async (c) => {
    const stream = c.stream();
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const twice = event();
    const refused: Readonly<Record<string, readonly NewEvent[]>> = {
      'no event': [],
      'two events of one id': [twice, { ...event(), id: twice.id }],
      'an event without an id': [event({ id: '' })],
      'an event without a type': [event({ type: '' })],
      'a schema version below 1': [event({ version: 0 })],
      'a time that is no number': [event({ time: Number.NaN })],
      'undefined as data': [event({ data: undefined })],
      'a bigint': [event(), event({ data: { amount: 1n } })],
      'a number that JSON does not know': [event({ data: [Number.NaN] })],
      'a date': [event({ data: { at: new Date(0) } })],
      'a function': [event({ data: { f: () => 1 } })],
      'a cycle': [event({ data: cycle })],
    };
    for (const [what, sent] of Object.entries(refused))
      await rejection(`appending ${what}`, c.store.saveEvents(stream, sent, 0), 'VALIDATION');
    await rejection(
      'appending to a stream without an id',
      c.store.saveEvents(c.stream(''), events(1), 0),
      'VALIDATION',
    );
    await rejection('appending at version -1', c.store.saveEvents(stream, events(1), -1), 'VALIDATION');
    assert.deepEqual(await c.all(), []);
    await c.store.saveEvents(stream, events(1), 0);
  }),

  scenario('keeps streams with similar names apart', [], async (c) => {
    const ids = [
      'a',
      'A',
      'a ',
      'a/b',
      'a-b',
      'a.b',
      'a%',
      'a_',
      "a'b",
      'a"b',
      'a\\b',
      'a\nb',
      'ä',
      'a\u0308',
      '钥匙',
      '🔑',
      '1',
      '01',
    ];
    const streams = [
      ...ids.map((id) => c.stream(id)),
      { type: `${c.type}/a`, id: 'b' },
      { type: `${c.type}a`, id: '/b' },
    ];
    const sent = streams.map((_, index) => events(1 + (index % 3)));
    await Promise.all(streams.map((stream, index) => c.store.saveEvents(stream, sent[index] ?? [], 0)));
    for (const [index, stream] of streams.entries()) await assertStream(c.store, stream, sent[index] ?? []);
  }),

  scenario('changes nothing of an event when what was handed in or out is changed', [], async (c) => {
    const stream = c.stream();
    const data = { nested: { list: [1, 2, 3] } };
    const metadata = { by: 'me' };
    const sent = [event({ data, metadata })];
    const expected = [{ ...(sent[0] as NewEvent), data: { nested: { list: [1, 2, 3] } }, metadata: { by: 'me' } }];
    const saving = c.store.saveEvents(stream, sent, 0);
    data.nested.list.push(4);
    metadata.by = 'you';
    sent.pop();
    await saving;
    const [read] = await listed(c.store.getEvents(stream));
    assert.ok(read);
    (read.data as typeof data).nested.list.push(5);
    await assertStream(c.store, stream, expected);
  }),

  scenario('does nothing halfway: many events in one append or none', [], async (c) => {
    const stream = c.stream();
    const many = events(300);
    const [one, other] = await Promise.allSettled([
      c.store.saveEvents(stream, many, 0),
      c.store.saveEvents(stream, events(300), 0),
    ]);
    const outcomes = [one.status, other.status].toSorted();
    assert.deepEqual(outcomes, ['fulfilled', 'rejected']);
    const loser = [one, other].find((outcome) => outcome.status === 'rejected');
    assert.ok(isBentoError(loser?.reason, 'CONCURRENCY'), String(loser?.reason));
    const stored = await listed(c.store.getEvents(stream));
    assert.equal(stored.length, 300);
    if (one.status === 'fulfilled') assert.deepEqual(idsOf(stored), idsOf(many));
    assert.equal((await c.all()).length, 300);
  }),
];
