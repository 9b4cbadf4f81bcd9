import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { createJsonCodec } from '@bento-bus/codecs';
import { eventually } from '@bento-bus/conformance';
import { type BusSubscription, createMessageBus, type MessageBus } from '@bento-bus/core';
import {
  type RequestBus,
  type RequestHandler,
  type RequestsOptions,
  respond,
  withRequests,
} from '@bento-bus/dispatcher';
import { expect, it } from '@jest/globals';
import type { Backend } from '../support/backends.ts';
import { startChild } from '../support/child.ts';
import { type Answer, type Ask, numbersOn } from './catalogue.ts';
import { askMany, type Load } from './load.ts';

const until = (what: string, check: () => boolean): Promise<void> =>
  eventually(check, { what, deadlineMs: 60_000, intervalMs: 10 });

/** A bus on a client of its own. */
export async function openBus(backend: Backend): Promise<MessageBus> {
  return createMessageBus({ transport: await backend.open(), codec: createJsonCodec(), source: '/delivery-tests' });
}

export const openRequests = async (backend: Backend, options: Partial<RequestsOptions> = {}): Promise<RequestBus> =>
  withRequests(await openBus(backend), { source: '/asker', ...options });

const group = 'numbers';

/** Replies, failures and the three ways of getting none: the same on every backend. `shortMs`: a time-out that is worth waiting for. */
export function requestScenarios(backend: Backend, shortMs: number): void {
  it('answers to whom asked, and tells the three ways of getting no reply apart', async () => {
    const definition = numbersOn(backend.topic());
    const asker = await openRequests(backend);
    const other = await openRequests(backend);
    const responder = await openBus(backend);
    const stop = new AbortController();
    const handler: RequestHandler<Ask, Answer> = async ({ data: { from, number, wish } }) => {
      if (wish === 'fail') throw Object.assign(new TypeError(`no number ${number}`), { code: 'E_NUMBER' });
      if (wish === 'never') await sleep(120_000, undefined, { signal: stop.signal }).catch(() => undefined);
      return { from, number, by: 'one' };
    };
    const subscription = await respond(responder, definition, handler, { group, concurrency: 8 });
    try {
      const replies = await Promise.all(
        [asker, other].flatMap((bus, index) =>
          Array.from({ length: 20 }, (_, number) => bus.request(definition, { from: `a${index}`, number })),
        ),
      );
      expect(replies).toEqual(
        ['a0', 'a1'].flatMap((from) => Array.from({ length: 20 }, (_, number) => ({ from, number, by: 'one' }))),
      );

      await expect(asker.request(definition, { number: 7, wish: 'fail' })).rejects.toMatchObject({
        name: 'RemoteError',
        code: 'REMOTE',
        remoteCode: 'E_NUMBER',
        retryable: true,
        message: expect.stringContaining('no number 7'),
      });

      await expect(asker.request(definition, { wish: 'never' }, { timeoutMs: shortMs })).rejects.toMatchObject({
        code: 'TIMEOUT',
        retryable: true,
        message: expect.stringContaining('a responder took it'),
      });
    } finally {
      stop.abort();
    }
    await subscription.close();
    await expect(asker.request(definition, {}, { timeoutMs: shortMs })).rejects.toMatchObject({
      code: 'NO_RESPONDER',
      retryable: true,
    });
  }, 60_000);
}

/** Requesters and responders come, go and die under load. */
export function survivorScenarios(backend: Backend, count: number): void {
  it('loses no reply of those that live, while a requester is killed, one is added, and responders change', async () => {
    const definition = numbersOn(backend.topic());
    const handledFor = new Map<string, number>();
    const startResponder = async (by: string): Promise<BusSubscription> =>
      respond(
        await openBus(backend),
        definition,
        async ({ data: { from, number } }) => {
          handledFor.set(from, (handledFor.get(from) ?? 0) + 1);
          await sleep(2);
          return { from, number, by };
        },
        { group, concurrency: 16 },
      );
    const first = await startResponder('first');
    await startResponder('second');
    const began = performance.now();
    const loads: Load[] = [];
    const start = async (from: string, requests: number): Promise<Load> => {
      const load = askMany(await openRequests(backend), definition, from, requests);
      loads.push(load);
      return load;
    };
    const a = await start('a', count);
    const b = await start('b', count);
    const victim = await startVictim(backend, definition.topic);
    try {
      await until('all three at work', () => a.replies.length > 50 && (handledFor.get('child') ?? 0) > 20);
      await victim.kill();
      const added = await start('added', count / 2);
      await startResponder('third');
      await until('the added one at work', () => added.replies.length > 20);
      await first.close();
      await Promise.all(loads.map(({ ended }) => ended));
    } finally {
      await victim.kill();
    }
    const errors = loads.flatMap((load) => load.errors);
    assert.deepEqual(errors, []);
    expect([a, b, loads[2]].map((load) => new Set(load?.replies.map(({ number }) => number)).size)).toEqual([
      count,
      count,
      count / 2,
    ]);
    const by = new Set(loads.flatMap(({ replies }) => replies.map((reply) => reply.by)));
    expect([...by].toSorted()).toEqual(['first', 'second', 'third']);
    if (backend.name !== 'inprocess') {
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      process.stdout.write(
        `figure: ${backend.name}: ${2.5 * count} requests of survivors in ${seconds} s, ${handledFor.get('child')} of the killed one handled\n`,
      );
    }
  }, 120_000);
}

/** A requester that is killed: a process of its own, or in process a bus that closes. */
async function startVictim(backend: Backend, topic: string): Promise<{ readonly kill: () => Promise<void> }> {
  if (backend.name === 'inprocess') {
    const bus = await openRequests(backend);
    const { ended } = askMany(bus, numbersOn(topic), 'child', Number.POSITIVE_INFINITY);
    return {
      kill: async () => {
        await bus.close();
        await ended;
      },
    };
  }
  const child = startChild('requests/requester-child.ts', { ...backend.environment, DELIVERY_TOPIC: topic });
  return {
    kill: async () => {
      child.kill('SIGKILL');
      assert.equal(await child.ended, 'SIGKILL', child.output());
    },
  };
}
