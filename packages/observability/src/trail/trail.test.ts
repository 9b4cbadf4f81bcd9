import {
  BentoError,
  type DeliveryHandler,
  headerNames,
  type Message,
  type Middleware,
  PublishError,
} from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { messageOf, publish, subscribe } from '../../test/watching.ts';
import { copyHeaders } from '../copy-headers.ts';
import type { TrailMessage } from './message.ts';
import { createTrail } from './trail.ts';
import { type TrailBranch, treeOf } from './tree.ts';

const causedBy = (cause: Message, more: Partial<Message> = {}): Message => {
  const { [headerNames.correlationId]: correlation = cause.id } = cause.headers;
  const headers = { [headerNames.correlationId]: correlation, [headerNames.causationId]: cause.id };
  return messageOf({ ...more, headers: { ...headers, ...more.headers } });
};
const copyOf = (message: Message, marks: Partial<Record<keyof typeof copyHeaders, string>>): Message => ({
  ...message,
  headers: {
    ...message.headers,
    ...Object.fromEntries(
      Object.entries(marks).map(([name, value]) => [copyHeaders[name as keyof typeof copyHeaders], value]),
    ),
  },
});
const inOneFlow = (cause: string) => ({ [headerNames.correlationId]: 'flow', [headerNames.causationId]: cause });
const stepsOf = (message: TrailMessage | undefined) => message?.steps.map(({ kind, topic }) => `${kind} ${topic}`);
const idsOf = ({ message, caused }: TrailBranch<TrailMessage>): unknown => [message.id, ...caused.map(idsOf)];
const failing = (text: string) => async () => {
  throw new Error(text);
};
const fail = async (): Promise<never> => {
  throw new Error('no');
};
const parking: Middleware = (next) => (delivery, signal) => next(delivery, signal).catch(() => {});
const refusing: Middleware = () => () => Promise.reject(new Error('invalid'));
const skipping: Middleware = () => async () => {};
const tooLate: Middleware = (next) => async (delivery, signal) => {
  await next(delivery, signal);
  throw new Error('not committed');
};
const handle = async (): Promise<void> => {};
const counted: Middleware = (next) => (delivery, signal) => next({ ...delivery, attempt: 3 }, signal);

describe('a trail', () => {
  it('remembers who a message is and what happened to it', async () => {
    const trail = createTrail();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = {
      [headerNames.streamType]: 'Order',
      [headerNames.streamId]: 'o-1',
      [headerNames.streamVersion]: '3',
      [headerNames.causationId]: 'c-1',
      [headerNames.traceparent]: `00-${traceId}-00f067aa0ba902b7-01`,
    };
    const message = messageOf({ key: 'o-1', headers });
    publish(trail, 'orders', [message]);
    let tries = 0;
    const { deliver } = subscribe(trail, 'mail', 'orders', async () => {
      if ((tries += 1) === 1) throw new BentoError('TIMEOUT', 'no mail server');
    });
    await expect(deliver(message, 1)).rejects.toThrow('no mail server');
    await deliver(message, 2);
    const ms = expect.any(Number);
    expect(trail.of(message.id)).toEqual({
      id: message.id,
      type: 't',
      topic: 'orders',
      key: 'o-1',
      time: 1_000,
      forgotten: 0,
      correlationId: message.id,
      causationId: 'c-1',
      traceId,
      stream: { type: 'Order', id: 'o-1', version: 3 },
      steps: [
        { kind: 'sent', at: ms, topic: 'orders', durationMs: ms },
        {
          kind: 'failed',
          at: ms,
          topic: 'orders',
          group: 'mail',
          attempt: 1,
          durationMs: ms,
          errorCode: 'TIMEOUT',
          error: 'no mail server',
        },
        { kind: 'handled', at: ms, topic: 'orders', group: 'mail', attempt: 2, durationMs: ms },
      ],
    });
    expect(trail.byStream('Order', 'o-1').map(({ id }) => id)).toEqual([message.id]);
    expect(trail.byStream('Order', 'o-2')).toEqual([]);
    expect(trail.of('unknown')).toBeUndefined();
  });

  it('follows copies of a message, and takes a try that ended with one for failed', async () => {
    const trail = createTrail();
    const message = messageOf();
    const group = { originGroup: 'mail', originTopic: 'orders', errorCode: 'Error' };
    const retry = copyOf(message, { ...group, delays: '1', attempts: '1', error: 'first' });
    const letter = copyOf(message, { ...group, reason: 'exhausted', attempts: '2', error: 'second' });
    const again = copyOf(message, { redriven: '1', originGroup: 'mail' });
    publish(trail, 'orders', [message]);
    // As the middleware of @bento-bus/dlq: the copy is stored, and the try ends well.
    const sending =
      (topic: string, copy: Message): Middleware =>
      (next) =>
      (delivery, signal) =>
        next(delivery, signal).catch(() => publish(trail, topic, [copy]));
    const [toRetry, toLetters] = [sending('orders-mail-RETRY', retry), sending('orders-mail-DLQ', letter)];
    await subscribe(trail, 'mail', 'orders', failing('first'), toRetry).deliver(message);
    await subscribe(trail, 'mail', 'orders-mail-RETRY', failing('second'), toLetters).deliver(retry);
    publish(trail, 'orders-mail-DLQ', [{ ...letter, headers: { ...letter.headers, 'bento-redrive-pass': 'run' } }]);
    publish(trail, 'orders-mail-RETRY', [again]);
    await subscribe(trail, 'mail', 'orders-mail-RETRY', async () => {}).deliver(again);
    const found = trail.of(message.id);
    expect(stepsOf(found)).toEqual([
      'sent orders',
      'failed orders',
      'retry orders-mail-RETRY',
      'failed orders-mail-RETRY',
      'dead-letter orders-mail-DLQ',
      'redrive orders-mail-RETRY',
      'handled orders-mail-RETRY',
    ]);
    expect(found?.steps.slice(1, 5)).toMatchObject([
      { group: 'mail', attempt: 1, errorCode: 'Error', error: 'first' },
      { group: 'mail', attempt: 1, error: 'first' },
      { group: 'mail', attempt: 2, error: 'second' },
      { group: 'mail', attempt: 2, error: 'second' },
    ]);
  });

  it('takes the outcome of a try from the handler, whatever middleware makes of it', async () => {
    const trail = createTrail();
    const kindsAfter = async (handler: DeliveryHandler, use: Middleware) => {
      const message = messageOf();
      await subscribe(trail, 'mail', 'orders', handler, use)
        .deliver(message)
        .catch(() => {});
      return trail.of(message.id)?.steps.map(({ kind, error }) => (error === undefined ? kind : `${kind}: ${error}`));
    };
    expect(await kindsAfter(fail, parking)).toEqual(['failed: no', 'taken']);
    expect(await kindsAfter(handle, parking)).toEqual(['handled']);
    expect(await kindsAfter(handle, refusing)).toEqual(['failed: invalid']);
    expect(await kindsAfter(handle, skipping)).toEqual([]);
    expect(await kindsAfter(handle, tooLate)).toEqual(['handled', 'failed: not committed']);
  });

  it('counts tries over all topics once, as retry hands them on', async () => {
    const trail = createTrail();
    const copy = copyOf(messageOf(), { delays: '1', attempts: '2' });
    await subscribe(trail, 'mail', 'orders-mail-RETRY', async () => {}, counted).deliver(copy);
    expect(trail.of(copy.id)?.steps).toMatchObject([{ kind: 'handled', attempt: 3 }]);
  });

  it('tells which messages were not stored, and what a lane gave up', async () => {
    const trail = createTrail();
    const [stored, lost] = [messageOf(), messageOf()] as const;
    publish(trail, 'orders', [stored, lost], new PublishError('one is not confirmed', [1], true));
    const { watch } = subscribe(trail, 'mail', 'orders', async () => {});
    const taken: unknown[] = [];
    const delivery = { topic: 'orders', message: stored, attempt: 4, position: '1' };
    await watch.exhausted?.(async (_, reason) => void taken.push(reason))(delivery, 'too long');
    expect(taken).toEqual(['too long']);
    expect(trail.of(stored.id)?.steps).toMatchObject([
      { kind: 'sent' },
      { kind: 'exhausted', group: 'mail', attempt: 4, error: 'too long' },
    ]);
    expect(trail.of(stored.id)?.steps[0]?.error).toBeUndefined();
    expect(trail.of(lost.id)?.steps).toMatchObject([
      { kind: 'sent', errorCode: 'PUBLISH', error: 'one is not confirmed' },
    ]);
  });

  it('puts a message between what it came from and what it caused', () => {
    const trail = createTrail();
    const placed = messageOf({ id: 'placed' });
    const paid = causedBy(placed, { id: 'paid' });
    const [mail, shipped] = [causedBy(paid, { id: 'mail' }), causedBy(paid, { id: 'shipped' })];
    const tracked = causedBy(shipped, { id: 'tracked' });
    for (const one of [placed, paid, mail, shipped, tracked, messageOf({ id: 'other' })])
      publish(trail, 'orders', [one]);
    const tree = trail.tree('paid');
    expect(tree?.ancestors.map(({ id }) => id)).toEqual(['placed']);
    expect(tree && idsOf(tree)).toEqual(['paid', ['mail'], ['shipped', ['tracked']]]);
    expect(trail.tree('placed')?.ancestors).toEqual([]);
    expect(trail.byCorrelation('placed').map(({ id }) => id)).toEqual(['placed', 'paid', 'mail', 'shipped', 'tracked']);
    expect(trail.tree('unknown')).toBeUndefined();
  });

  it('comes to an end where messages say that they caused each other', () => {
    const trail = createTrail();
    for (const [id, cause] of [
      ['a', 'b'],
      ['b', 'a'],
      ['self', 'self'],
    ] as const)
      publish(trail, 'orders', [messageOf({ id, headers: inOneFlow(cause) })]);
    const tree = trail.tree('a');
    expect(tree?.ancestors.map(({ id }) => id)).toEqual(['b']);
    expect(tree?.caused).toEqual([]);
    expect(trail.tree('self')).toMatchObject({ ancestors: [], caused: [] });
  });

  it('holds flows as long as they like', () => {
    const messages = Array.from({ length: 20_000 }, (_, n) => ({
      id: `${n}`,
      ...(n > 0 && { causationId: `${n - 1}` }),
    }));
    expect(treeOf(messages, '19999')?.ancestors).toHaveLength(19_999);
    let depth = 0;
    for (let at = treeOf(messages, '0')?.caused[0]; at !== undefined; [at] = at.caused) depth += 1;
    expect(depth).toBe(19_999);
  });

  it('forgets the oldest messages, and of a message all but its first and last steps', async () => {
    const trail = createTrail({ capacity: 3, maxSteps: 4 });
    const messages = Array.from({ length: 5 }, (_, n) => messageOf({ id: `n-${n}` }));
    publish(trail, 'orders', messages);
    expect(messages.map(({ id }) => trail.of(id) !== undefined)).toEqual([false, false, true, true, true]);
    const { deliver } = subscribe(trail, 'mail', 'orders', async () => {});
    for (let attempt = 1; attempt <= 6; attempt += 1) await deliver(messages[4] as Message, attempt);
    const found = trail.of('n-4');
    expect([found?.forgotten, ...(found?.steps ?? []).map(({ kind, attempt }) => attempt ?? kind)]).toEqual([
      3,
      'sent',
      4,
      5,
      6,
    ]);
  });

  it('names every fault of its options', () => {
    expect(() => createTrail({ capacity: 0, maxSteps: 1.5 })).toThrow(
      /capacity must be .* not 0; maxSteps must be .* not 1.5/,
    );
  });
});
