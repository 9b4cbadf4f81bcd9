import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@bento-bus/conformance';
import { BentoError, type Delivery, type EventStore, PublishError, type Transport } from '@bento-bus/core';
import {
  createParkingStore,
  deadLetterTopic,
  listDeadLetters,
  listParked,
  redrive,
  redriveParked,
  retry,
} from '@bento-bus/dlq';
import { createInMemoryEventStore } from '@bento-bus/eventsourcing';
import { createInProcessTransport } from '@bento-bus/inprocess-bus';
import { afterEach, describe, expect, it } from '@jest/globals';
import { messageOf, textOf } from './support/messages.ts';

const opened: Transport[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});
function open(): Transport {
  const transport = createInProcessTransport();
  opened.push(transport);
  return transport;
}
const until = (what: string, check: () => boolean | Promise<boolean>): Promise<void> =>
  eventually(check, { what, deadlineMs: 10_000 });
const away = (): BentoError => new BentoError('CONNECTION', 'the broker is away.', true);

const failing = async (): Promise<void> => {
  throw new Error('bad');
};

/** An event store whose calls fail as `fault` says. */
function faulty(store: EventStore, fault: (call: string, id: string) => unknown): EventStore {
  return new Proxy(store, {
    get: (target, name: keyof EventStore) => {
      const member: unknown = target[name];
      if (typeof member !== 'function') return member;
      return (...args: readonly unknown[]) => {
        const error = fault(String(name), (args[0] as { readonly id?: string } | undefined)?.id ?? '');
        if (error !== undefined) throw error;
        return member.apply(target, args) as unknown;
      };
    },
  });
}

describe('Faults around delivery policies', () => {
  it('tries again after an outage longer than a lane may be held, with its tries in place left', async () => {
    const transport = open();
    const errors: string[] = [];
    let isAway = true;
    const handled: string[] = [];
    const handler = async (delivery: Delivery): Promise<void> => {
      if (isAway) {
        errors.push('away');
        throw away();
      }
      if (errors.filter((error) => error === 'bad').length < 2) {
        errors.push('bad');
        throw new Error('bad');
      }
      handled.push(textOf(delivery));
    };
    const use = [retry({ attempts: 3, backoff: () => 5 })];
    await transport.subscribe(['t'], handler, { group: 'g', maxHoldMs: 100, maxLaneBacklog: 2, use });
    await transport.publish(
      't',
      ['1', '2', '3', '4', '5'].map((text) => messageOf('a', text)),
    );
    await sleep(500);
    expect(errors.length).toBeGreaterThan(3);
    isAway = false;
    await until('all handled', () => handled.length === 5);
    expect(handled).toEqual(['1', '2', '3', '4', '5']);
    expect(await listDeadLetters({ transport, topic: 't', group: 'g', idleMs: 100 })).toEqual([]);
  });

  it('lets what it has no last step for hold its lane, and tries it again', async () => {
    const transport = open();
    let isMended = false;
    const handled: string[] = [];
    const handler = async (delivery: Delivery): Promise<void> => {
      if (!isMended) throw new Error('bad');
      handled.push(textOf(delivery));
    };
    const use = [retry({ attempts: 2, backoff: () => 5, deadLetter: false })];
    await transport.subscribe(['t'], handler, { group: 'g', maxHoldMs: 50, use });
    await transport.publish('t', [messageOf('a', '1'), messageOf('a', '2')]);
    await sleep(200);
    isMended = true;
    await until('both handled', () => handled.length === 2);
    expect(handled).toEqual(['1', '2']);
  });

  it('ends a redrive whose letters fail again', async () => {
    const transport = open();
    let starts = 0;
    const handler = (): Promise<void> => {
      starts += 1;
      throw new Error('bad');
    };
    await transport.subscribe(['t'], handler, { group: 'g', use: [retry({ attempts: 1 })] });
    await transport.publish('t', [messageOf('a', '1'), messageOf('b', '2')]);
    await until('both dead', () => starts === 2);
    const target = { transport, topic: 't', group: 'g', idleMs: 300 };
    expect(await redrive(target)).toMatchObject({ done: 2, complete: true });
    expect(starts).toBe(4);
    expect(await listDeadLetters(target)).toHaveLength(2);
  });

  it('ends a redrive when its edit fails, and when its signal aborts while it paces', async () => {
    const transport = open();
    await transport.subscribe(['t'], failing, { group: 'g', use: [retry({ attempts: 1 })] });
    await transport.publish(
      't',
      ['a', 'b', 'c'].map((key) => messageOf(key, key)),
    );
    const target = { transport, topic: 't', group: 'g', idleMs: 200 };
    const aborted = new BentoError('ABORTED', 'the edit was aborted.', true);
    const edit = async (): Promise<never> => {
      throw aborted;
    };
    await expect(redrive({ ...target, edit })).rejects.toBe(aborted);
    const begin = performance.now();
    const signal = AbortSignal.timeout(100);
    expect(await redrive({ ...target, perSecond: 0.01, signal })).toMatchObject({ done: 1, complete: false });
    expect(performance.now() - begin).toBeLessThan(8_000);
    // The one that was redriven has failed again.
    await until('all three still there', async () => (await listDeadLetters(target)).length === 3);
  });

  it('parks messages of two sources with one id', async () => {
    const transport = open();
    const handled: string[] = [];
    let isMended = false;
    const handler = async (delivery: Delivery): Promise<void> => {
      if (!isMended) throw new Error('bad');
      handled.push(textOf(delivery));
    };
    const parking = createParkingStore({ store: createInMemoryEventStore() });
    const use = [retry({ attempts: 1, sequence: 'key', parking })];
    await transport.subscribe(['t'], handler, { group: 'g', use });
    const one = { ...messageOf('k', 'a1'), id: '1', source: '/a' };
    const other = { ...messageOf('k', 'b1'), id: '1', source: '/b' };
    await transport.publish('t', [one, other, messageOf('k', 'b2')]);
    const place = { parking, topic: 't', group: 'g' };
    await until('three parked', async () => {
      const [[key, sequence] = ['', '']] = await parking.open('g', 't');
      return (await parking.list({ group: 'g', topic: 't', key }, sequence)).length === 3;
    });
    isMended = true;
    await redriveParked({ ...place, publisher: transport });
    await until('all handled', () => handled.length === 3);
    expect(handled).toEqual(['a1', 'b1', 'b2']);
  });

  it('gives the first parked message its next try, though its process died before it could', async () => {
    const transport = open();
    const store = createInMemoryEventStore();
    const message = messageOf('k', '1');
    // As the process that died has left it.
    await createParkingStore({ store }).begin(
      { group: 'g', topic: 't', key: 'k' },
      { message, position: '1' },
      { reason: 'exhausted', code: 'Error', error: 'bad', stack: '', attempts: 1, firstFailed: 1, lastFailed: 2 },
    );
    const handled: string[] = [];
    const parking = createParkingStore({ store });
    await transport.subscribe(['t'], async (delivery) => void handled.push(textOf(delivery)), {
      group: 'g',
      use: [retry({ attempts: 1, delays: [50], sequence: 'key', parking })],
    });
    await transport.publish('t', [message, messageOf('k', '2')]);
    await until('both handled', () => handled.length === 2);
    expect(handled).toEqual(['1', '2']);
  });

  it('keeps the order of a key in a batch while the parking store fails', async () => {
    const transport = open();
    const handled: string[] = [];
    let isMended = false;
    let faults = 0;
    const memory = createInMemoryEventStore();
    const store = faulty(memory, (call) => {
      if (faults === 0 || call !== 'saveEvents') return undefined;
      faults -= 1;
      return new BentoError('TIMEOUT', 'the store is slow.', true);
    });
    const parking = createParkingStore({ store });
    await transport.subscribeBatch(
      ['t'],
      async (batch) =>
        batch.map((delivery) => {
          if (!isMended) return { ok: false, error: new Error('bad') };
          handled.push(textOf(delivery));
          return { ok: true };
        }),
      { group: 'g', size: 5, waitMs: 20, use: [retry({ attempts: 1, sequence: 'key', parking })] },
    );
    const place = { parking, topic: 't', group: 'g' };
    await transport.publish('t', [messageOf('k', '1')]);
    await until('one parked', async () => (await listParked(place)).size === 1);
    faults = 1;
    await transport.publish(
      't',
      ['2', '3', '4'].map((text) => messageOf('k', text)),
    );
    await until('all parked', async () => {
      const sequence = (await parking.open('g', 't')).get('k') ?? '';
      return (await parking.list({ group: 'g', topic: 't', key: 'k' }, sequence)).length === 4;
    });
    isMended = true;
    await redriveParked({ ...place, publisher: transport });
    await until('all handled', () => handled.length === 4);
    expect(handled).toEqual(['1', '2', '3', '4']);
  });

  it('does not count it as a failure of the message that the parking store is away', async () => {
    const transport = open();
    let isAway = true;
    const store = faulty(createInMemoryEventStore(), () =>
      isAway ? new BentoError('TIMEOUT', 'the store is slow.', true) : undefined,
    );
    const parking = createParkingStore({ store });
    const handled: string[] = [];
    await transport.subscribe(['t'], async (delivery) => void handled.push(textOf(delivery)), {
      group: 'g',
      maxHoldMs: 100,
      use: [retry({ attempts: 2, backoff: () => 10, sequence: 'key', parking })],
    });
    await transport.publish('t', [messageOf('k', '1'), messageOf('k', '2')]);
    await sleep(400);
    expect(handled).toEqual([]);
    isAway = false;
    await until('both handled', () => handled.length === 2);
    expect((await parking.open('g', 't')).size).toBe(0);
  });

  it('makes a dead letter of what is too large to travel by the retry topic', async () => {
    const transport = open();
    const small: Transport = {
      ...transport,
      subscribe: (topics, handler, options) =>
        transport.subscribe(topics, handler, {
          ...options,
          use: (options.use ?? []).map(
            (one) => (next, context) =>
              one(next, {
                ...context,
                publisher: {
                  ...context.publisher,
                  publish: async (topic, messages) => {
                    if (topic.endsWith('-RETRY') || messages.some(({ headers }) => 'bento-error' in headers))
                      throw new PublishError('too large', [0], false, { reason: 'OVERSIZE' });
                    return context.publisher.publish(topic, messages);
                  },
                },
              }),
          ),
        }),
    };
    await small.subscribe(['t'], failing, { group: 'g', use: [retry({ attempts: 1, delays: [60_000] })] });
    await small.publish('t', [messageOf('k', '1')]);
    const target = { transport, topic: 't', group: 'g', idleMs: 100 };
    await until('a dead letter', async () => (await listDeadLetters(target)).length === 1);
    const [letter] = await listDeadLetters(target);
    expect(letter).toMatchObject({ reason: 'exhausted', errorCode: 'Error', error: undefined });
    expect(deadLetterTopic('t', 'g')).toBe('t-g-DLQ');
  });
});
