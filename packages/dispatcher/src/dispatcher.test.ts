import {
  BentoError,
  type BusEvent,
  type Delivery,
  type EventHandler,
  isBentoError,
  type Message,
  type Middleware,
} from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { contextOf, manualClock, middlewareBus, orderEvents, placed, watchedSignal } from '../test/rig.ts';
import { type AnyHandlerWrapper, createDispatcher, type HandlerWrapper } from './index.ts';

const definition = orderEvents['order.placed'];

/** What handling comes to, a synchronous failure too. */
const outcomeOf = async (handler: EventHandler<BusEvent>, ...args: Parameters<EventHandler<BusEvent>>) => {
  try {
    await handler(...args);
    return 'handled';
  } catch (error) {
    return error;
  }
};

describe('a dispatcher', () => {
  it('gives each event to the handlers of its type', async () => {
    const seen: string[] = [];
    const dispatcher = createDispatcher()
      .on(definition, ({ data }) => void seen.push(`placed ${data.orderId}`))
      .on(orderEvents['order.shipped'], async ({ data }) => void seen.push(`shipped ${data.orderId}`));
    expect(dispatcher.definitions).toEqual([definition, orderEvents['order.shipped']]);
    const { handler } = dispatcher;
    await handler(placed('o1'), contextOf('1'));
    await handler({ type: 'order.shipped', data: { orderId: 'o2' }, id: 'e', time: 0 }, contextOf('2'));
    expect(seen).toEqual(['placed o1', 'shipped o2']);
  });

  it('costs a synchronous handler no promise', () => {
    const { handler } = createDispatcher().on(definition, () => {});
    expect(handler(placed(), contextOf('1'))).toBeUndefined();
  });

  it('runs several handlers of one event side by side, and waits for all', async () => {
    const log: string[] = [];
    const { handler } = createDispatcher()
      .on(definition, async () => {
        log.push('a begins');
        await Promise.resolve();
        log.push('a ends');
      })
      .on(definition, () => void log.push('b'));
    await handler(placed(), contextOf('1'));
    expect(log).toEqual(['a begins', 'b', 'a ends']);
  });

  it.each([
    ['throws', () => fail(new TypeError('no'))],
    ['rejects', async () => fail(new TypeError('no'))],
  ])('runs the others when one %s, and fails with its error', async (_, failing) => {
    const log: string[] = [];
    const { handler } = createDispatcher()
      .on(definition, failing)
      .on(definition, async () => void log.push('other'));
    expect(await outcomeOf(handler, placed(), contextOf('1'))).toMatchObject({ name: 'TypeError', message: 'no' });
    expect(log).toEqual(['other']);
  });

  it.each([
    ['any of them is retryable', [new BentoError('CODEC', 'a'), new Error('b')], 'HANDLER', true],
    ['none of them is retryable', [new BentoError('CODEC', 'a'), new BentoError('VALIDATION', 'b')], 'HANDLER', false],
    ['they are no errors', ['a', undefined], 'HANDLER', true],
    ['all say the same', [new BentoError('ABORTED', 'a', true), new BentoError('ABORTED', 'b', true)], 'ABORTED', true],
  ])('makes one error of several failures, when %s', async (_, errors, code, retryable) => {
    const dispatcher = createDispatcher();
    for (const error of errors) dispatcher.on(definition, async () => fail(error));
    const error = await outcomeOf(dispatcher.handler, placed(), contextOf('1'));
    expect(isBentoError(error)).toBe(true);
    expect(error).toMatchObject({ name: 'HandlersError', code, retryable, errors });
    expect((error as Error).message).toMatch(/^dispatcher: cannot handle "order.placed" everywhere: 2 of its handlers/);
  });

  it('runs for the next try of a delivery only what failed', async () => {
    const log: string[] = [];
    let failures = 2;
    const dispatcher = createDispatcher()
      .on(definition, () => void log.push('a'))
      .on(definition, async () => {
        log.push('b');
        if (failures-- > 0) throw new Error('not yet');
      })
      .on(definition, async () => void log.push('c'));
    const { handler } = dispatcher;
    for (let attempt = 1; attempt <= 3; attempt += 1) await outcomeOf(handler, placed(), contextOf('1', { attempt }));
    expect(log).toEqual(['a', 'b', 'c', 'b', 'b']);
    log.length = 0;
    // It has succeeded: what comes again now is another handling. So is another delivery, and another subscription.
    await handler(placed(), contextOf('1'));
    failures = 1;
    await outcomeOf(handler, placed(), contextOf('2'));
    await handler(placed(), contextOf('3'));
    await dispatcher.handler(placed(), contextOf('2'));
    expect(log).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('remembers a bounded number of deliveries', async () => {
    let calls = 0;
    const { handler } = createDispatcher()
      .on(definition, () => void (calls += 1))
      .on(definition, () => fail(new Error('never')));
    for (let position = 0; position <= 10_000; position += 1)
      await outcomeOf(handler, placed(), contextOf(String(position)));
    expect(calls).toBe(10_001);
    await outcomeOf(handler, placed(), contextOf('10000'));
    expect(calls).toBe(10_001);
    await outcomeOf(handler, placed(), contextOf('0'));
    expect(calls).toBe(10_002);
  });

  it('puts its wrappers outside of the handler’s, and says around what they are', async () => {
    const log: string[] = [];
    const outer: AnyHandlerWrapper = (next, { type, name }) => {
      return async (event, context) => {
        log.push(`outer of ${name} of ${type}`);
        await next(event, context);
      };
    };
    const inner: HandlerWrapper<BusEvent<'order.placed', { orderId: string; total: number }>> =
      (next) => (event, context) => {
        log.push(`inner ${event.data.total}`);
        return next(event, context);
      };
    const { handler } = createDispatcher({ use: [outer] }).on(definition, () => void log.push('handler'), {
      use: [inner],
      name: 'mail',
    });
    await handler(placed(), contextOf('1'));
    expect(log).toEqual(['outer of mail of order.placed', 'inner 1', 'handler']);
  });

  it('refuses what it cannot do, and names every fault', async () => {
    expect(() => createDispatcher({ unknown: 'drop' as 'fail', timeoutMs: 0, use: [1 as never] })).toThrow(
      /unknown must be.*timeoutMs must be.*use must be.*these 3 faults/,
    );
    const dispatcher = createDispatcher().on(definition, () => {});
    const other = { ...definition };
    expect(() => dispatcher.on(other, () => {})).toThrow(/another definition/);
    expect(() => dispatcher.onBatch(definition, () => {})).toThrow(/handlers by on already/);
    expect(() => dispatcher.on(definition, undefined as never, { timeoutMs: Number.NaN })).toThrow(
      /handler must be a function; timeoutMs must be/,
    );
    await expect(createDispatcher().subscribe({} as never, { group: 'g' })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('register a handler first'),
    });
    void dispatcher.handler;
    expect(() => dispatcher.on(orderEvents['order.shipped'], () => {})).toThrow(/before the first subscription/);
  });
});

describe('the policy for unknown types', () => {
  it.each(['fail', 'dead-letter'] as const)(
    '%s looks at every delivery innermost, and leaves records that cannot be read to their own policy',
    async (unknown) => {
      const { bus, use } = middlewareBus();
      await createDispatcher({ unknown })
        .on(definition, () => {})
        .subscribe(bus, { group: 'g', use: [outer] });
      const [first, ...others] = use();
      expect([first, others.length]).toEqual([outer, 1]);
      const passed: string[] = [];
      const handle = others[0]?.(async ({ message }) => void passed.push(message.type), { group: 'g' } as never);
      const give = async (message: Partial<Message>): Promise<void> =>
        handle?.({ topic: 'orders', message } as Delivery, new AbortController().signal);
      await give({ type: 'order.placed' });
      await give({ type: 'unreadable', raw: {} });
      await expect(give({ type: 'unreadable' })).rejects.toMatchObject({
        code: 'HANDLER',
        retryable: unknown === 'fail',
      });
      await expect(give({ type: 'order.lost' })).rejects.toThrow(
        'dispatcher: cannot handle "order.lost" of "orders" in group "g"',
      );
      expect(passed).toEqual(['order.placed', 'unreadable']);
    },
  );
});

describe('the time limit of a handler', () => {
  it('aborts its signal and fails with a retryable TIMEOUT', async () => {
    const { clock, expire } = manualClock();
    let reason: unknown;
    const { handler } = createDispatcher({ clock, timeoutMs: 1_000 }).on(
      definition,
      (_, { signal }) =>
        new Promise<void>((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(new Error('stopped'));
          });
        }),
      { timeoutMs: 50, name: 'slow' },
    );
    const outcome = outcomeOf(handler, placed(), contextOf('1'));
    expire();
    const error = await outcome;
    expect(error).toMatchObject({
      code: 'TIMEOUT',
      retryable: true,
      message: expect.stringContaining('the handler "slow" of "order.placed" took longer than 50 ms'),
    });
    expect(reason).toBe(error);
  });

  it('leaves no timer behind, and has one listener on the signal of all deliveries', async () => {
    const { clock, timers } = manualClock();
    const { signal, count } = watchedSignal();
    const { handler } = createDispatcher({ clock, timeoutMs: 50 })
      .on(definition, async () => {})
      .on(definition, () => {})
      .on(definition, async () => fail(new Error('no')))
      .on(definition, () => fail(new Error('no')));
    await outcomeOf(handler, placed(), contextOf('1', { signal }));
    await outcomeOf(handler, placed(), contextOf('2', { signal }));
    expect([timers(), count()]).toEqual([0, 1]);
  });

  it('passes the abort of the subscription on', async () => {
    const { clock } = manualClock();
    const { signal, abort } = watchedSignal();
    const { handler } = createDispatcher({ clock, timeoutMs: 50 }).on(definition, async (_, context) => {
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      throw context.signal.reason;
    });
    const outcome = outcomeOf(handler, placed(), contextOf('1', { signal }));
    abort();
    expect(await outcome).toMatchObject({ message: 'drained' });
  });
});

const outer: Middleware = (next) => next;

function fail(error: unknown): never {
  throw error;
}
