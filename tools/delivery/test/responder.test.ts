import { BentoError } from '@bento-bus/core';
import { createDispatcher, defineRequests, RemoteError, respond, withRequests } from '@bento-bus/dispatcher';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { answered, group, number, rig, settle, until } from './requests/rig.ts';

describe('a responder', () => {
  it.each([
    ['an error of this toolkit', new BentoError('VALIDATION', 'odd'), 'VALIDATION', false, 'odd'],
    ['any error', new RangeError('too far'), 'RangeError', true, 'too far'],
    ['no error at all', 'just a text', 'HANDLER', true, 'just a text'],
    ['a long text', new Error('é'.repeat(5_000)), 'Error', true, `${'é'.repeat(999)}…`],
  ])(
    'that throws %s makes it a RemoteError, without its stack, and acknowledges',
    async (_, thrown, remoteCode, retryable, text) => {
      const { bus, clock, open, repliesOf } = await rig();
      let calls = 0;
      const subscription = await respond(
        open(),
        number,
        () => {
          calls += 1;
          throw thrown;
        },
        { group, clock },
      );
      const error = await bus.request(number, {}).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(RemoteError);
      expect(error).toMatchObject({ code: 'REMOTE', remoteCode, retryable });
      expect((error as Error).message).toContain(`responder: ${text} (`);
      await clock.advance(60_000);
      expect(calls).toBe(1);
      expect(JSON.stringify(repliesOf('error')[0]?.headers)).not.toContain('requests.test.ts');
      await subscription.close();
    },
  );

  it('tells the asker of a request that it cannot read, and of a reply that it may not send', async () => {
    const { bus, clock, open } = await rig();
    const strict = defineRequests(
      { topic: 'numbers' },
      {
        'number.get': {
          version: 1,
          schema: z.object({ number: z.number().min(5) }),
          reply: z.object({ by: z.string() }),
        },
      },
    );
    await respond(open(), strict['number.get'], () => ({ by: 7 as unknown as string }), { group, clock });
    await expect(bus.request(number, { number: 1 })).rejects.toMatchObject({
      code: 'REMOTE',
      remoteCode: 'VALIDATION',
    });
    await expect(bus.request(number, { number: 5 })).rejects.toMatchObject({
      remoteCode: 'VALIDATION',
      retryable: false,
      message: expect.stringContaining('cannot publish "number.get.reply"'),
    });
  });

  it('whose reply cannot be published has the request again; where there is no such topic it is done', async () => {
    const { bus, clock, open, state, replyTopic } = await rig();
    let calls = 0;
    let refusals = 2;
    state.refuse = (topic) =>
      topic === replyTopic && refusals-- > 0 ? new BentoError('CONNECTION', 'away', true) : undefined;
    await respond(open(), number, () => ((calls += 1), answered), { group, clock });
    const reply = bus.request(number, {});
    await clock.advance(20_000);
    await expect(reply).resolves.toEqual(answered);
    expect(calls).toBe(3);

    state.refuse = (topic) => (topic === replyTopic ? new BentoError('UNKNOWN_TOPIC', 'gone') : undefined);
    const outcome = bus.request(number, {}, { timeoutMs: 500 }).catch((error: unknown) => error);
    await clock.advance(20_000);
    expect(await outcome).toMatchObject({ code: 'NO_RESPONDER' });
    expect(calls).toBe(4);
  });

  it('that is stopped gives no answer: another one gets the request', async () => {
    const { bus, clock, open, repliesOf } = await rig();
    const first = await respond(
      open(),
      number,
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
      { group, clock, drainMs: 10 },
    );
    const reply = bus.request(number, {});
    await settle(clock);
    const closing = first.close();
    await clock.advance(10);
    await closing;
    await respond(open(), number, () => answered, { group, clock });
    await expect(reply).resolves.toEqual(answered);
    expect(repliesOf('error')).toHaveLength(0);
  });

  it('replies to no topic but those of askers, unless it is told so; what asks for no reply is an event', async () => {
    const { clock, open, published } = await rig();
    const elsewhere = withRequests(open(), { source: 's', replyTopic: 'orders', clock });
    const seen: number[] = [];
    const subscription = await respond(open(), number, ({ data }) => (seen.push(data.number), answered), {
      group,
      clock,
    });
    const outcome = elsewhere.request(number, { number: 1 }, { timeoutMs: 50 }).catch((error: unknown) => error);
    await open().publish(number, { number: 2 });
    await clock.advance(50);
    expect(await outcome).toMatchObject({ code: 'NO_RESPONDER' });
    expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(published.filter(({ topic }) => topic === 'orders')).toEqual([]);
    await subscription.close();
    await respond(open(), number, () => answered, { group, clock, mayReplyTo: (topic) => topic === 'orders' });
    await expect(elsewhere.request(number, {})).resolves.toEqual(answered);
  });

  it('has a time limit of its own', async () => {
    const { bus, clock, open } = await rig();
    await respond(open(), number, () => new Promise(() => {}), { group, clock, timeoutMs: 100 });
    const outcome = bus.request(number, {}).catch((error: unknown) => error);
    await clock.advance(100);
    expect(await outcome).toMatchObject({ code: 'REMOTE', remoteCode: 'TIMEOUT' });
  });

  it.each(['single', 'batch'])('stands beside %s handlers in a dispatcher', async (kind) => {
    const { bus, clock, open } = await rig();
    const told: unknown[] = [];
    const { 'number.told': numberTold } = defineRequests(
      { topic: 'numbers' },
      { 'number.told': { version: 1, schema: z.number(), reply: z.any() } },
    );
    const dispatcher = createDispatcher({ clock, unknown: 'dead-letter' }).respond(number, ({ data }) => {
      if (data.wish === 'fail') throw new Error('no');
      return answered;
    });
    if (kind === 'batch')
      dispatcher.onBatch(numberTold, (batch) => void told.push(...batch.map(({ event }) => event.data)));
    else dispatcher.on(numberTold, ({ data }) => void told.push(data));
    await dispatcher.subscribe(open(), { group, size: 4, waitMs: 1, concurrency: 4 });
    await bus.publish(numberTold, 7);
    const reply = bus.request(number, {});
    const failure = bus.request(number, { number: 2, wish: 'fail' }).catch((error: unknown) => error);
    await clock.advance(200);
    await expect(reply).resolves.toEqual(answered);
    expect(await failure).toMatchObject({ code: 'REMOTE', message: expect.stringContaining('no') });
    await until('the event', () => told.length === 1);
  });
});
