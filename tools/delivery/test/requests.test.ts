import assert from 'node:assert/strict';
import {
  BentoError,
  createMessageBus,
  headerNames,
  type LogFields,
  silentLogger,
  type Transport,
} from '@bento-bus/core';
import { deferred } from '@bento-bus/core/adapter';
import { defineRequests, requestHeaders, respond, TooManyRequestsError, withRequests } from '@bento-bus/dispatcher';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { answered, codec, group, number, rig, settle } from './requests/rig.ts';
import { requestScenarios, survivorScenarios } from './requests/scenarios.ts';
import { useBackend } from './support/backends.ts';

describe('Requests in process', () => {
  const backend = useBackend('inprocess');
  requestScenarios(backend, 400);
  survivorScenarios(backend, 600);
});

describe('a request', () => {
  it('travels as an event that says where its reply goes and how long it is waited for', async () => {
    const { bus, clock, published, open, replyTopic } = await rig();
    await respond(open(), number, () => answered, { group, clock });
    const reply = bus.request(
      number,
      { number: 5 },
      {
        timeoutMs: 500,
        headers: { 'x-tenant': 't', [requestHeaders.replyTo]: 'forged' },
        cause: { id: 'm', correlationId: 'c' },
      },
    );
    await expect(reply).resolves.toEqual(answered);
    const [request, answer] = published.map(({ message }) => message);
    expect(request).toMatchObject({
      type: 'number.get',
      key: 'x5',
      headers: {
        [requestHeaders.replyTo]: replyTopic,
        [requestHeaders.expiresAt]: String(clock.now() + 500),
        'x-tenant': 't',
        [headerNames.causationId]: 'm',
      },
    });
    expect(answer).toMatchObject({
      type: 'number.get.reply',
      key: request?.id,
      headers: {
        [requestHeaders.reply]: 'ok',
        [headerNames.causationId]: request?.id,
        [headerNames.correlationId]: 'c',
      },
    });
    await settle(clock);
    expect(clock.pending).toBe(0);
  });

  it('subscribes to replies once, before the first one goes out', async () => {
    const { transport, clock, open } = await rig();
    const log: string[] = [];
    const watched: Transport = {
      ...transport,
      subscribe: async (topics, ...rest) => {
        const subscription = await transport.subscribe(topics, ...rest);
        log.push(`subscribed to ${topics.join()}`);
        return subscription;
      },
      publish: async (topic, messages) => {
        log.push(`published to ${topic}`);
        await transport.publish(topic, messages);
      },
    };
    await respond(open(), number, () => answered, { group, clock });
    const plain = createMessageBus({ transport: watched, codec, source: '/tests' });
    const bus = withRequests(plain, { source: 's', instance: 'i', clock });
    expect(log).toEqual([]);
    await Promise.all([bus.request(number, {}), bus.request(number, {})]);
    expect(log).toEqual(['subscribed to bento-reply-s-i', 'published to numbers', 'published to numbers']);
  });

  it('nobody takes ends with NO_RESPONDER at its time, and is dropped by a responder that comes later', async () => {
    const { bus, clock, open, repliesOf } = await rig();
    const outcome = bus.request(number, {}, { timeoutMs: 1_000 }).catch((error: unknown) => error);
    let isOver = false;
    void outcome.then(() => (isOver = true));
    await clock.advance(999);
    expect(isOver).toBe(false);
    await clock.advance(1);
    expect(await outcome).toMatchObject({ code: 'NO_RESPONDER', retryable: true, message: /nobody took it/ });
    const seen: number[] = [];
    await respond(open(), number, ({ data }) => (seen.push(data.number), answered), { group, clock });
    await bus.request(number, { number: 2 });
    expect(seen).toEqual([2]);
    expect(repliesOf('ok')).toHaveLength(1);
  });

  it.each([
    [1_000, 250],
    [60_000, 1_000],
  ])(
    'of %d ms is said to be taken after %d ms; then it ends with TIMEOUT, and its late reply is dropped',
    async (timeoutMs, takenMs) => {
      const { bus, clock, open, repliesOf } = await rig();
      const done = deferred();
      await respond(open(), number, () => done.promise.then(() => answered), { group, clock });
      const outcome = bus.request(number, {}, { timeoutMs }).catch((error: unknown) => error);
      await clock.advance(takenMs - 1);
      expect(repliesOf('taken')).toHaveLength(0);
      await clock.advance(1);
      expect(repliesOf('taken')).toHaveLength(1);
      await clock.advance(timeoutMs);
      expect(await outcome).toMatchObject({ code: 'TIMEOUT', message: /a responder took it/ });
      done.resolve();
      await settle(clock);
      expect(repliesOf('ok')).toHaveLength(1);
    },
  );

  it('ends with the abort of its signal, which many may share', async () => {
    const { bus, clock, open } = await rig();
    const controller = new AbortController();
    const { signal } = controller;
    const outcomes = Array.from({ length: 20 }, () =>
      bus.request(number, {}, { signal }).catch((error: unknown) => error),
    );
    const other = bus.request(number, {}, { signal: new AbortController().signal });
    await settle(clock);
    controller.abort('enough');
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ code: 'ABORTED', cause: 'enough' });
    await expect(bus.request(number, {}, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    await respond(open(), number, () => answered, { group, clock });
    await expect(other).resolves.toEqual(answered);
    await settle(clock);
    expect(clock.pending).toBe(0);
  });

  it('is refused when too many wait, and nothing is sent', async () => {
    const { bus, clock, open, published } = await rig({ maxPending: 2 });
    const waiting = [bus.request(number, {}), bus.request(number, {})];
    const refusal = await bus.request(number, {}).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(TooManyRequestsError);
    expect(refusal).toMatchObject({ code: 'PUBLISH', retryable: true, maxPending: 2 });
    await settle(clock);
    expect(published).toHaveLength(2);
    await respond(open(), number, () => answered, { group, clock });
    await Promise.all(waiting);
    await bus.request(number, {});
  });

  it('rejects with what publish says, and with a reply that its schema refuses', async () => {
    const { bus, clock, open, state, transport } = await rig();
    await expect(bus.request(number, { number: 'x' } as never)).rejects.toMatchObject({ code: 'VALIDATION' });
    state.refuse = () => new BentoError('AUTHORIZATION', 'no');
    await expect(bus.request(number, {})).rejects.toMatchObject({ code: 'AUTHORIZATION' });
    delete state.refuse;
    // Another version of the service answers something else.
    const other = defineRequests(
      { topic: 'numbers' },
      { 'number.get': { version: 1, schema: z.any(), reply: z.any() } },
    );
    await respond(open(), other['number.get'], ({ data }) => ({ only: (data as { number: number }).number }), {
      group,
      clock,
    });
    await expect(bus.request(number, {})).rejects.toMatchObject({
      code: 'VALIDATION',
      message: /^dispatcher: cannot read the reply to "number.get": from: /,
    });
    await settle(clock);
    expect(clock.pending).toBe(0);
    expect(transport.name).toBe('inprocess');
  });

  it('takes the first reply; later ones, those of strangers and such that cannot be read hold nothing up', async () => {
    const { bus, clock, open, transport, published, replyTopic } = await rig();
    const logged: LogFields[] = [];
    const logger = { ...silentLogger, debug: (_: string, fields?: LogFields) => void logged.push(fields ?? {}) };
    const asker = withRequests(open(), { source: 's', clock, replyTopic: 'bento-reply-own', logger });
    await respond(open(), number, () => answered, { group, clock });
    await asker.request(number, {});
    const reply = published.find(({ topic }) => topic === 'bento-reply-own')?.message;
    assert.ok(reply);
    const stranger = { ...reply, id: 'r2', headers: { ...reply.headers, [headerNames.causationId]: 'nobody' } };
    const broken = { ...stranger, id: 'r3', body: new TextEncoder().encode('{') };
    await transport.publish('bento-reply-own', [reply, stranger, broken]);
    await expect(asker.request(number, {})).resolves.toEqual(answered);
    expect(logged.map(({ requestId }) => requestId)).toEqual([reply.key, 'nobody']);
    expect(replyTopic).not.toBe('bento-reply-own');
    await bus.close();
  });

  it('that waits is rejected with CLOSED by a close, which ends everything', async () => {
    const { clock, open } = await rig();
    const deleted: string[] = [];
    const admin = {
      createTopic: async () => true,
      deleteTopic: async (topic: string) => deleted.push(`topic ${topic}`) > 0,
      deleteGroup: async (name: string) => void deleted.push(`group ${name}`),
    };
    const unused = withRequests(open(), { source: 's', instance: 'unused', clock, admin });
    await unused.close();
    expect(deleted).toEqual([]);
    const inner = open();
    const bus = withRequests(inner, { source: 's', instance: 'i', clock, admin });
    const outcome = bus.request(number, {}).catch((error: unknown) => error);
    await settle(clock);
    const closing = bus.close();
    expect(bus.close()).toBe(closing);
    expect(await outcome).toMatchObject({ code: 'CLOSED' });
    await closing;
    expect(deleted).toEqual(['group bento-reply-s-i', 'topic bento-reply-s-i']);
    await expect(bus.request(number, {})).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(inner.publish(number, {})).rejects.toMatchObject({ code: 'CLOSED' });
    await settle(clock);
    expect(clock.pending).toBe(0);
  });

  it('subscribes anew after its subscription could not be made', async () => {
    const { clock, transport, open } = await rig();
    let failures = 1;
    const flaky: Transport = {
      ...transport,
      subscribe: async (...args) => {
        if (failures-- > 0) throw new BentoError('CONNECTION', 'not yet', true);
        return transport.subscribe(...args);
      },
    };
    await respond(open(), number, () => answered, { group, clock });
    const bus = withRequests(createMessageBus({ transport: flaky, codec, source: '/t' }), { source: 's', clock });
    await expect(bus.request(number, {})).rejects.toMatchObject({ code: 'CONNECTION' });
    await expect(bus.request(number, {})).resolves.toEqual(answered);
  });

  it('has options that are checked, every fault named', async () => {
    await expect(rig({ source: '', instance: ' ', timeoutMs: 0, maxPending: 0 })).rejects.toThrow(
      /source must be.*instance must be.*timeoutMs must be.*maxPending must be.*these 4 faults/,
    );
  });
});
