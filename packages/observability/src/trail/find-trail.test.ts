import { headerNames, type Message } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { Shelf } from '../../test/shelf.ts';
import { messageOf } from '../../test/watching.ts';
import { copyHeaders } from '../copy-headers.ts';
import { findTrail } from './find-trail.ts';

const inFlow = (cause: string) => ({ [headerNames.correlationId]: 'placed', [headerNames.causationId]: cause });
const placed = messageOf({ id: 'placed', time: 1 });
const paid = messageOf({ id: 'paid', time: 2, headers: inFlow('placed') });
const mail = messageOf({ id: 'mail', time: 3, headers: inFlow('paid') });
const copy = (message: Message, marks: Readonly<Record<string, string>>): Message => ({
  ...message,
  headers: { ...message.headers, [copyHeaders.originTopic]: 'mails', [copyHeaders.originGroup]: 'mail', ...marks },
});
const retried = copy(mail, { [copyHeaders.delays]: '1', [copyHeaders.attempts]: '1', [copyHeaders.lastFailed]: '4' });
const letter = copy(mail, {
  [copyHeaders.reason]: 'exhausted',
  [copyHeaders.attempts]: '2',
  [copyHeaders.lastFailed]: '5',
  [copyHeaders.error]: 'no such address',
});

function filled(): Shelf {
  const shelf = new Shelf();
  shelf.put('orders', [messageOf(), placed, messageOf(), paid]);
  shelf.put('mails', [mail]);
  shelf.put('mails-mail-RETRY', [retried]);
  shelf.put('mails-mail-DLQ', [letter]);
  shelf.put('mails-mail-CHECKPOINT', [messageOf({ id: 'mail' })]);
  shelf.put('empty', []);
  return shelf;
}
/** Longer than the test may take: the ends of the topics must be found. */
const idleMs = 60_000;

describe('findTrail', () => {
  it('finds a message and its flow on all topics, and leaves no group behind', async () => {
    const shelf = filled();
    const { tree, messages, complete } = await findTrail({
      admin: shelf.admin,
      transport: shelf.transport,
      id: 'mail',
      idleMs,
    });
    expect(complete).toBe(true);
    expect(messages.map(({ id }) => id)).toEqual(['placed', 'paid', 'mail']);
    expect(tree?.ancestors.map(({ id }) => id)).toEqual(['placed', 'paid']);
    expect(tree?.message).toMatchObject({ topic: 'mails', correlationId: 'placed', causationId: 'paid' });
    expect(tree?.message.steps).toEqual([
      { kind: 'sent', topic: 'mails', at: 3, position: '0' },
      { kind: 'retry', topic: 'mails-mail-RETRY', at: 4, position: '0', group: 'mail', attempt: 1 },
      {
        kind: 'dead-letter',
        topic: 'mails-mail-DLQ',
        at: 5,
        position: '0',
        group: 'mail',
        attempt: 2,
        error: 'no such address',
      },
    ]);
    expect(shelf.groups).toEqual([]);
  });

  it('looks only where it is told to, and at what was made beside that', async () => {
    const { admin, transport } = filled();
    const found = await findTrail({ admin, transport, id: 'mail', topics: ['mails', 'missing'], idleMs });
    expect(found.messages.map(({ id }) => id)).toEqual(['mail']);
    expect(found.tree?.message.steps).toHaveLength(3);
    expect(found.tree?.ancestors).toEqual([]);
  });

  it('sees what waits in a retry topic for its time', async () => {
    const shelf = filled();
    shelf.late.set('mails-mail-RETRY', new Set(['mail']));
    const { admin, transport } = shelf;
    const found = await findTrail({ admin, transport, id: 'mail', idleMs });
    expect(found.tree?.message.steps.map(({ kind }) => kind)).toEqual(['sent', 'retry', 'dead-letter']);
  });

  it('ends a topic whose last message does not come', async () => {
    const shelf = filled();
    shelf.late.set('mails', new Set(['mail']));
    const { admin, transport } = shelf;
    const found = await findTrail({ admin, transport, id: 'placed', topics: ['orders', 'mails'], idleMs: 20 });
    expect(found.complete).toBe(true);
    expect(found.messages.map(({ id }) => id)).toEqual(['placed', 'paid', 'mail']);
    expect(found.tree?.caused).toMatchObject([{ message: { id: 'paid' }, caused: [{ message: { id: 'mail' } }] }]);
  });

  it('says that it found nothing, and reads the topics once for that', async () => {
    const shelf = filled();
    const { admin, transport } = shelf;
    expect(await findTrail({ admin, transport, id: 'unknown', idleMs })).toEqual({
      tree: undefined,
      messages: [],
      complete: true,
    });
    expect(shelf.subscribed).toBe(1);
  });

  it('keeps no more messages than its limit, and says so', async () => {
    const { admin, transport } = filled();
    const found = await findTrail({ admin, transport, id: 'placed', limit: 2, idleMs });
    expect(found.complete).toBe(false);
    expect(found.messages).toHaveLength(2);
  });

  it('ends by the signal, with what was found, and leaves no group behind', async () => {
    const shelf = filled();
    const { admin, transport } = shelf;
    const stop = new AbortController();
    shelf.onDelivery = () => {
      if (shelf.subscribed === 2) stop.abort();
    };
    const found = await findTrail({ admin, transport, id: 'placed', idleMs, signal: stop.signal });
    expect(found.complete).toBe(false);
    expect(shelf.groups).toEqual([]);
    const again = await findTrail({ admin, transport, id: 'placed', idleMs, signal: stop.signal });
    expect(again).toEqual({ tree: undefined, messages: [], complete: false });
  });

  it('tells how far it is', async () => {
    const shelf = new Shelf();
    shelf.put('orders', [placed, ...Array.from({ length: 1_199 }, () => messageOf()), paid]);
    const told: unknown[] = [];
    const { admin, transport } = shelf;
    await findTrail({ admin, transport, id: 'paid', idleMs, onProgress: (progress) => void told.push(progress) });
    expect(told).toEqual([
      { pass: 'search', read: 500, found: 0 },
      { pass: 'search', read: 1_000, found: 0 },
      { pass: 'search', read: 1_201, found: 1 },
      { pass: 'collect', read: 500, found: 1 },
      { pass: 'collect', read: 1_000, found: 1 },
      { pass: 'collect', read: 1_201, found: 2 },
    ]);
  });

  it('names every fault of its options', async () => {
    const { admin, transport } = filled();
    await expect(findTrail({ admin, transport, id: '', limit: 0, idleMs: 0, since: Number.NaN })).rejects.toThrow(
      /id must be .*; limit must be .*, not 0; idleMs must be .*, not 0; since must be .*, not NaN/,
    );
  });
});
