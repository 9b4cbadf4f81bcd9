import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@bento-bus/conformance';
import { CodecError, type Delivery, type Outcome, type Transport } from '@bento-bus/core';
import {
  auditTopic,
  createParkingStore,
  deadLetterTopic,
  failureHeaders,
  listDeadLetters,
  listParked,
  readDeadLetter,
  redrive,
  redriveParked,
  retry,
} from '@bento-bus/dlq';
import { createInMemoryEventStore } from '@bento-bus/eventsourcing';
import { expect, it } from '@jest/globals';
import type { Backend } from '../support/backends.ts';
import { messageOf, textOf } from '../support/messages.ts';

/** How long anything may take on a busy machine. Milliseconds. */
const limit = 30_000;
const until = (what: string, check: () => boolean | Promise<boolean>): Promise<void> =>
  eventually(check, { what, deadlineMs: limit });

/** All that is on a topic, as another group reads it. */
async function reading(transport: Transport, topic: string): Promise<Delivery[]> {
  const found: Delivery[] = [];
  await transport.subscribe([topic], async (delivery) => void found.push(delivery), { group: 'looking' });
  return found;
}

/** Retries and dead letters, the same on every backend. `tiers`: delays in milliseconds. */
export function retryScenarios(backend: Backend, tiers: readonly [number, number]): void {
  it(`tries again in place, after ${tiers[0]} and after ${tiers[1]} ms, then makes a dead letter that says all`, async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const starts: { readonly attempt: number; readonly at: number }[] = [];
    const others: string[] = [];
    const handler = async (delivery: Delivery): Promise<void> => {
      if (textOf(delivery) !== 'poison') {
        others.push(textOf(delivery));
        return;
      }
      starts.push({ attempt: delivery.attempt, at: Date.now() });
      throw Object.assign(new Error('the price is missing', { cause: new Error('no such column') }), {
        code: 'E_PRICE',
      });
    };
    const policy = retry({ attempts: 2, backoff: { baseMs: 20, capMs: 50 }, delays: tiers });
    await transport.subscribe([topic], handler, { group: 'mail', concurrency: 4, use: [policy] });
    const poison = messageOf('a', 'poison', { 'x-tenant': 'é' });
    await transport.publish(topic, [poison, messageOf('a', 'behind it'), messageOf('b', 'another')]);
    const dead = await reading(await backend.open(), deadLetterTopic(topic, 'mail'));
    await until('a dead letter', () => dead.length === 1);

    expect(starts.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4]);
    const gaps = starts.slice(1).map(({ at }, index) => at - (starts[index]?.at ?? 0));
    for (const [index, tier] of tiers.entries()) {
      expect(gaps[index + 1]).toBeGreaterThanOrEqual(tier);
      // Within a second of what was said, and what a busy machine takes.
      expect(gaps[index + 1]).toBeLessThan(tier + 3_000);
    }
    expect(others.toSorted()).toEqual(['another', 'behind it']);

    const [delivery] = dead;
    assert.ok(delivery);
    const { message, ...letter } = readDeadLetter(delivery);
    expect({ ...message, body: Buffer.from(message.body ?? []), headers: {} }).toEqual({ ...poison, headers: {} });
    expect(message.headers).toMatchObject(poison.headers);
    expect(message.headers['ce_deliverat']).toBeUndefined();
    expect(letter).toMatchObject({
      reason: 'exhausted',
      errorCode: 'E_PRICE',
      error: 'the price is missing ← no such column',
      attempts: 4,
      originTopic: topic,
      group: 'mail',
    });
    expect(letter.stack).toMatch(/^at .*scenarios\.ts/);
    expect(letter.originPosition).not.toBe('');
    expect(letter.firstFailed).toBeGreaterThanOrEqual((starts[0]?.at ?? 0) - 5);
    expect(letter.lastFailed).toBeGreaterThanOrEqual((starts[3]?.at ?? 0) - 5);
  }, 60_000);

  it('holds a key in place until it succeeds; others go on', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const handled: string[] = [];
    const handler = async (delivery: Delivery): Promise<void> => {
      const text = textOf(delivery);
      if (text === 'a1' && delivery.attempt < 3) throw new Error('not yet');
      handled.push(text);
    };
    const use = [retry({ attempts: 5, backoff: () => 400 })];
    await transport.subscribe([topic], handler, { group: 'mail', concurrency: 4, use });
    await transport.publish(
      topic,
      ['a1', 'a2', 'a3', 'b1'].map((text) => messageOf(text[0] ?? '', text)),
    );
    await until('all handled', () => handled.length === 4);
    expect(handled).toEqual(['b1', 'a1', 'a2', 'a3']);
  }, 60_000);

  it('gives what cannot succeed to the dead letters at once', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    let starts = 0;
    const handler = async (): Promise<void> => {
      starts += 1;
      throw new CodecError('text/plain', 'no text');
    };
    await transport.subscribe([topic], handler, { group: 'mail', use: [retry({ attempts: 5, delays: [60_000] })] });
    await transport.publish(topic, [messageOf('a', 'broken')]);
    const dead = await reading(await backend.open(), deadLetterTopic(topic, 'mail'));
    await until('a dead letter', () => dead.length === 1);
    expect(starts).toBe(1);
    expect(dead[0]?.message.headers).toMatchObject({ 'bento-reason': 'not-retryable', 'bento-error-code': 'CODEC' });
  }, 60_000);

  it('gives each failing message of a batch its own way', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const handled = new Set<string>();
    const handler = async (batch: readonly Delivery[]): Promise<readonly Outcome[]> =>
      batch.map((delivery) => {
        const text = textOf(delivery);
        if (text === 'a1' || (text === 'b1' && delivery.attempt < 3)) return { ok: false, error: new Error('not yet') };
        handled.add(text);
        return { ok: true };
      });
    const use = [retry({ attempts: 2, backoff: () => 20, delays: [100] })];
    await transport.subscribeBatch([topic], handler, { group: 'mail', size: 10, waitMs: 20, use });
    await transport.publish(
      topic,
      ['a1', 'a2', 'b1', 'b2', 'c1'].map((text) => messageOf(text[0] ?? '', text)),
    );
    const dead = await reading(await backend.open(), deadLetterTopic(topic, 'mail'));
    await until('a dead letter and the others', () => dead.length === 1 && handled.size === 4);
    expect(dead.map(textOf)).toEqual(['a1']);
    expect(dead[0]?.message.headers['bento-attempts']).toBe('3');
    // Behind a failed one of its key an event counts as not handled, and is handled again.
    expect([...handled].toSorted()).toEqual(['a2', 'b1', 'b2', 'c1']);
  }, 60_000);

  it('keeps the order of a key that is parked: what comes meanwhile waits, a redrive restores it', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const handled: string[] = [];
    let isMended = false;
    const handler = async (delivery: Delivery): Promise<void> => {
      const text = textOf(delivery);
      if (text === 'a2' && !isMended) throw new Error('not yet');
      // Draining takes its time, so that something comes meanwhile.
      if (isMended && text.startsWith('a')) await sleep(20);
      handled.push(text);
    };
    const parking = createParkingStore({ store: createInMemoryEventStore() });
    const place = { parking, topic, group: 'mail' };
    const use = [retry({ attempts: 2, backoff: () => 20, sequence: 'key', parking })];
    await transport.subscribe([topic], handler, { group: 'mail', concurrency: 4, use });
    const publish = (...texts: readonly string[]): Promise<void> =>
      transport.publish(
        topic,
        texts.map((text) => messageOf(text[0] ?? '', text)),
      );
    await publish('a1', 'a2', 'a3', 'a4', 'b1', 'b2');
    await until('the others', () => handled.includes('b2'));
    const sequence = async (): Promise<string> => [...(await parking.open('mail', topic)).values()][0] ?? '';
    await until('all of it parked', async () => {
      const parked = await parking.list({ group: 'mail', topic, key: 'a' }, await sequence());
      return parked.length === 3;
    });
    expect(handled.filter((text) => text.startsWith('a'))).toEqual(['a1']);
    const [first] = (await listParked(place)).values();
    expect(first?.failure).toMatchObject({ reason: 'exhausted', error: 'not yet', attempts: 2 });

    // Still broken: a redrive changes nothing.
    expect(await redriveParked({ ...place, publisher: transport })).toEqual(['a']);
    await until('another failure', async () => {
      const [head] = (await listParked(place)).values();
      return head?.failure !== undefined && head.failure.lastFailed > (first?.failure?.lastFailed ?? 0);
    });

    isMended = true;
    await redriveParked({ ...place, publisher: transport });
    await redriveParked({ ...place, publisher: transport });
    for (const text of ['a5', 'a6', 'a7', 'b3']) {
      await publish(text);
      await sleep(10);
    }
    await until('all handled', () => handled.length === 10);
    expect(handled.filter((text) => text.startsWith('a'))).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7']);
    await until('nothing parked', async () => (await parking.open('mail', topic)).size === 0);
    await publish('a8');
    await until('the next one', () => handled.includes('a8'));
  }, 60_000);

  it('gives a parked message its next tries by itself, in order', async () => {
    const transport = await backend.open();
    const topic = backend.topic();
    const handled: string[] = [];
    const handler = async (delivery: Delivery): Promise<void> => {
      if (textOf(delivery) === 'a1' && delivery.attempt < 3) throw new Error('not yet');
      handled.push(`${textOf(delivery)}#${delivery.attempt}`);
    };
    const parking = createParkingStore({ store: createInMemoryEventStore() });
    const use = [retry({ attempts: 1, delays: [200, 300], sequence: 'key', parking })];
    await transport.subscribe([topic], handler, { group: 'mail', concurrency: 4, use });
    await transport.publish(
      topic,
      ['a1', 'a2', 'a3'].map((text) => messageOf('a', text)),
    );
    await until('all handled', () => handled.length === 3);
    expect(handled).toEqual(['a1#3', 'a2#1', 'a3#1']);
  }, 60_000);
}

/** Redrives, the same on every backend. */
export function redriveScenarios(backend: Backend): void {
  const idleMs = backend.name === 'inprocess' ? 150 : 1_500;

  /** A group that fails everything until it is mended. */
  const failing = async (count: number) => {
    const transport = await backend.open();
    const topic = backend.topic();
    const handled: Delivery[] = [];
    const state = { isMended: false };
    const handler = async (delivery: Delivery): Promise<void> => {
      if (!state.isMended) throw Object.assign(new Error('not yet'), { code: textOf(delivery).slice(0, 1) });
      handled.push(delivery);
    };
    await transport.subscribe([topic], handler, { group: 'mail', concurrency: 8, use: [retry({ attempts: 1 })] });
    const messages = Array.from({ length: count }, (_, index) =>
      messageOf(`k${index % 5}`, `${index % 2 ? 'x' : 'y'}${index}`),
    );
    await transport.publish(topic, messages);
    const target = { transport, topic, group: 'mail', idleMs };
    let letters = await listDeadLetters(target);
    await until('all dead', async () => (letters = await listDeadLetters(target)).length === count);
    return { transport, topic, messages, handled, state, target, letters };
  };

  it('looks at dead letters and leaves them; redrives those that fit, edited, with a trail', async () => {
    const { transport, topic, messages, handled, state, target } = await failing(20);
    state.isMended = true;
    const report = await redrive({
      ...target,
      filter: { errorCodes: ['x'] },
      by: 'ada',
      edit: ({ message }) =>
        Buffer.from(message.body ?? []).toString() === 'x3'
          ? { body: Buffer.from('edited'), headers: { 'X-Fix': '1' } }
          : undefined,
    });
    expect(report).toMatchObject({ done: 10, kept: 10, looked: 20, edited: 1, complete: true });
    await until('those handled', () => handled.length === 10);
    const fitting = messages.filter((message) => textOf({ message }).startsWith('x'));
    expect(handled.map(({ message }) => message.id).toSorted()).toEqual(fitting.map(({ id }) => id).toSorted());
    for (const { message, attempt } of handled) {
      expect(attempt).toBe(1);
      expect(message.headers).toMatchObject({ 'bento-redriven-by': 'ada', 'bento-redrive-run': report.run });
      expect(message.headers[failureHeaders.reason]).toBeUndefined();
    }
    // In order, key by key.
    for (const key of ['k0', 'k1', 'k2', 'k3', 'k4'])
      expect(
        handled.filter(({ message }) => message.key === key && message.headers['x-fix'] === undefined).map(textOf),
      ).toEqual(
        fitting
          .filter((message) => message.key === key && textOf({ message }) !== 'x3')
          .map((message) => textOf({ message })),
      );
    const edited = handled.find(({ message }) => message.headers['x-fix'] === '1');
    expect(edited && textOf(edited)).toBe('edited');
    expect(edited?.message.headers[failureHeaders.edited]).toBe('body x-fix');
    const audit = await reading(transport, auditTopic(topic, 'mail'));
    await until('the original', () => audit.length === 1);
    expect(audit.map(textOf)).toEqual(['x3']);
    expect(await listDeadLetters(target)).toHaveLength(10);
  }, 90_000);

  it('ends at its limit, at its rate; what is left comes with the next run', async () => {
    const { handled, state, target } = await failing(12);
    state.isMended = true;
    const begin = Date.now();
    const report = await redrive({ ...target, limit: 4, perSecond: 10 });
    expect(report).toMatchObject({ done: 4, complete: false });
    expect(Date.now() - begin).toBeGreaterThanOrEqual(280);
    await until('those handled', () => handled.length === 4);
    expect(await redrive({ ...target, action: 'discard', limit: 1 })).toMatchObject({ done: 1 });
    expect(await redrive(target)).toMatchObject({ done: 7, complete: true });
    await until('the others handled', () => handled.length === 11);
    expect(new Set(handled.map(({ message }) => message.id)).size).toBe(11);
  }, 90_000);
}
