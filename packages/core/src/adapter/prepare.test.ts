import { describe, expect, it } from '@jest/globals';
import { delivery } from '../../test/deliveries.ts';
import { VirtualClock } from '../../test/virtual-clock.ts';
import type {
  BatchHandler,
  Delivery,
  DeliveryHandler,
  Middleware,
  Outcome,
  Publisher,
  SubscribeOptions,
  SubscriptionContext,
} from '../index.ts';
import { type BentoError, isBentoError, silentLogger } from '../index.ts';
import { type PreparedSubscription, plain, prepareSubscription, readRecord, resolveSubscribeOptions } from './index.ts';

const nothing = async (): Promise<void> => {};
const publisher: Publisher = { publish: nothing, close: nothing, [Symbol.asyncDispose]: nothing };
const laneState = () => ({ heldMs: 7, backlog: 3 });
const { signal } = new AbortController();
const ok: Outcome = { ok: true };
const okAll: BatchHandler = async (batch) => batch.map(() => ok);

function prepare(
  handler: { each: DeliveryHandler } | { batch: BatchHandler },
  use: readonly Middleware[] = [],
  options: Partial<SubscribeOptions> = {},
  clock = new VirtualClock(),
): PreparedSubscription {
  const topics = ['orders'];
  const resolved = resolveSubscribeOptions('test-adapter', topics, { group: 'mail', use, ...options });
  return prepareSubscription(topics, handler, resolved, { adapter: 'test-adapter', publisher, lane: laneState, clock });
}

const order = (id: string, key?: string): Delivery => delivery(key === undefined ? { id } : { id, key }, 'orders');

describe('subscribe options', () => {
  it('get their defaults, also where a field says undefined', () => {
    const given = { group: 'g', concurrency: undefined } as unknown as SubscribeOptions;
    expect(resolveSubscribeOptions('a', ['t'], given)).toEqual({
      group: 'g',
      concurrency: 1,
      startPosition: 'earliest',
      ordering: 'key',
      maxHoldMs: 5_000,
      maxLaneBacklog: 100,
      maxCrashes: 3,
      unreadable: 'fail',
      drainMs: 10_000,
      use: [],
      size: 1,
      waitMs: 0,
    });
  });

  it('that are wrong are named all in one error', () => {
    const wrong = {
      group: ' ',
      concurrency: 0.5,
      startPosition: 'now',
      ordering: 'time',
      maxHoldMs: -1,
      maxLaneBacklog: -1,
      drainMs: Number.NaN,
      use: ['retry'],
      size: 0,
      waitMs: Number.POSITIVE_INFINITY,
    } as unknown as SubscribeOptions;
    const refuse = () => resolveSubscribeOptions('kafka-adapter', [''], wrong);
    expect(refuse).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(refuse).toThrow(
      /^kafka-adapter: cannot subscribe group " ": topics.*group.*concurrency.*maxLaneBacklog.*size.*maxHoldMs.*drainMs.*waitMs.*ordering.*startPosition.*use.*Correct these 11 faults/,
    );
    expect(() => resolveSubscribeOptions('a', [], { group: 'g' })).toThrow(/at least one topic/);
  });
});

describe('a prepared subscription', () => {
  it('builds the middleware once a topic, the first outermost, with its context', async () => {
    const log: string[] = [];
    const contexts: SubscriptionContext[] = [];
    const named =
      (name: string): Middleware =>
      (next, context) => {
        log.push(`build ${name} ${context.topic}`);
        contexts.push(context);
        return async (one, abort) => {
          log.push(name);
          await next(one, abort);
        };
      };
    const prepared = prepare({ each: async () => void log.push('handler') }, [named('outer'), named('inner')]);
    expect(log).toEqual(['build inner orders', 'build outer orders']);
    await prepared.handler([order('1')], signal);
    await prepared.handler([order('2')], signal);
    expect(log.slice(2)).toEqual(['outer', 'inner', 'handler', 'outer', 'inner', 'handler']);
    expect(contexts[0]).toMatchObject({ topic: 'orders', origin: 'orders', group: 'mail', publisher });
    expect(contexts[0]?.lane(order('1'))).toEqual({ heldMs: 7, backlog: 3 });
  });

  it('answers with what became of the delivery, whatever the handler does', async () => {
    const behaviours: Record<string, DeliveryHandler> = {
      fine: nothing,
      'no promise': (() => {}) as unknown as DeliveryHandler,
      rejects: () => Promise.reject(new Error('no')),
    };
    const outcomes: Record<string, unknown> = {};
    for (const [name, each] of Object.entries(behaviours))
      outcomes[name] = await prepare({ each }).handler([order('1')], signal);
    expect(outcomes).toMatchObject({
      fine: [ok],
      'no promise': [ok],
      rejects: [{ ok: false, error: { message: 'no' } }],
    });
  });

  it('gives topics that middleware adds a chain of their own, with the topic they belong to', async () => {
    const log: string[] = [];
    const retry: Middleware = (next, context) => {
      const { topic, origin } = context;
      if (topic === origin) {
        context.alsoConsume(`${topic}-mail-RETRY`);
        context.alsoConsume(`${topic}-mail-RETRY`);
        context.ensureTopic(`${topic}-mail-RETRY`, { subscription: 'mail' });
        context.ensureTopic(`${topic}-mail-DLQ`, { subscription: 'redrive' });
        context.ensureTopic(`${topic}-mail-DLQ`, { compacted: true });
      }
      return (one, abort) => {
        log.push(`${topic} of ${origin}`);
        return next(one, abort);
      };
    };
    const prepared = prepare({ each: nothing }, [retry]);
    expect(prepared.topics).toEqual(['orders', 'orders-mail-RETRY']);
    expect(prepared.ensure).toEqual([
      { topic: 'orders-mail-RETRY', subscriptions: ['mail'], compacted: false },
      { topic: 'orders-mail-DLQ', subscriptions: ['redrive'], compacted: true },
    ]);
    await prepared.handler([delivery({}, 'orders-mail-RETRY')], signal);
    expect(log).toEqual(['orders-mail-RETRY of orders']);
  });

  it('refuses middleware that adds a topic to each topic, and runs what it had to close', async () => {
    let closed = 0;
    const endless: Middleware = (next, context) => {
      context.onClose(async () => void (closed += 1));
      context.alsoConsume(`${context.topic}-more`);
      return next;
    };
    expect(() => prepare({ each: nothing }, [endless])).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    await new VirtualClock().settle();
    expect(closed).toBe(9);
  });

  it('refuses to add topics once it is built', () => {
    let late: SubscriptionContext | undefined;
    prepare({ each: nothing }, [
      (next, context) => {
        late = context;
        return next;
      },
    ]);
    expect(() => late?.alsoConsume('x')).toThrow(/while the middleware is built/);
    expect(() => late?.ensureTopic('x')).toThrow(/while the middleware is built/);
  });

  it('gives exhausted deliveries to the hook of their topic, of which there is one', async () => {
    const taken: string[] = [];
    const hook: Middleware = (next, context) => {
      const { topic } = context;
      context.alsoConsume('second');
      if (topic === 'orders')
        context.onExhausted(async ({ message }, reason) => void taken.push(`${message.id} ${String(reason)}`));
      return next;
    };
    const prepared = prepare({ each: nothing }, [hook]);
    await prepared.exhausted(order('1'), 'why');
    expect(taken).toEqual(['1 why']);
    expect(prepared.exhausted(delivery({}, 'second'), 'why')).toBeUndefined();
    expect(() => prepare({ each: nothing }, [hook, hook])).toThrow(
      /two middleware take the exhausted messages of "orders"/,
    );
  });

  it('closes what middleware opened, the last first, all of it', async () => {
    const log: string[] = [];
    const opening =
      (name: string): Middleware =>
      (next, context) => {
        context.onClose(async () => {
          log.push(name);
          if (name !== 'b') throw new Error(name);
        });
        return next;
      };
    const prepared = prepare({ each: nothing }, [opening('a'), opening('b'), opening('c')]);
    await expect(prepared.close()).rejects.toThrow('2 of 3 could not be closed');
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('names the topics it knows when a delivery is of another', () => {
    const prepared = prepare({ each: nothing });
    expect(() => prepared.handler([delivery({}, 'orders-partition-3')], signal)).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_TOPIC', message: expect.stringContaining('subscribed are "orders"') }),
    );
  });

  it('fails for a record that nobody could read, inside the middleware and before the handler', async () => {
    const seen: unknown[] = [];
    let handled = 0;
    const watch: Middleware = (next) => (one, abort) =>
      next(one, abort).catch((error: unknown) => {
        seen.push(error);
        throw error;
      });
    const record = { topic: 'orders', key: null, headers: {}, body: null, timestamp: 5, position: '0/1' };
    const message = readRecord(plain({ typeOf: () => '' }), record);
    const unreadable: Delivery = { topic: 'orders', message, attempt: 1, position: '0/1' };
    for (const use of [[watch], []]) {
      const each = prepare({ each: async () => void (handled += 1) }, use);
      expect(await each.handler([unreadable], signal)).toMatchObject([{ ok: false, error: { code: 'CODEC' } }]);
      const batch = prepare({ batch: okAll }, use);
      expect(await batch.handler([order('1'), unreadable], signal)).toMatchObject([
        ok,
        { ok: false, error: { code: 'CODEC' } },
      ]);
    }
    expect(seen).toMatchObject([{ code: 'CODEC' }, { code: 'CODEC' }]);
    expect(handled).toBe(0);
  });
});

/** A batch handler that fails for ids in `bad`, and notes its calls. */
function recording(bad: ReadonlySet<string> = new Set()) {
  const calls: string[] = [];
  const batch: BatchHandler = async (deliveries) => {
    calls.push(deliveries.map(({ message }) => message.id).join(' '));
    return deliveries.map(({ message }) =>
      bad.has(message.id) ? { ok: false, error: new Error(`bad ${message.id}`) } : ok,
    );
  };
  return { calls, batch };
}

const seen: Middleware = (next) => (one, abort) => (one.message.id === '2' ? nothing() : next(one, abort));
const swallow: Middleware = (next) => (one, abort) => next(one, abort).catch(() => {});
const gatekeeper: Middleware = (next) => async (one, abort) => {
  if (one.message.id === '1') throw new Error('rate limit');
  await Promise.resolve();
  await next(one, abort);
};
const pass: Middleware = (next) => (one, abort) => next(one, abort);

const refused = async (): Promise<never> => {
  throw new Error('the handler was called');
};

describe('what cannot be read', () => {
  const bytes = Buffer.from('x');
  const record = { topic: 'orders', key: null, headers: {}, body: bytes, timestamp: 5, position: '0/1' };
  const message = readRecord(plain({ typeOf: () => '' }), record);
  const unreadable: Delivery = { topic: 'orders', message, attempt: 1, position: '0/1' };

  it.each([[{ each: refused }], [{ batch: refused }]])(
    'is skipped with a warning where that is asked for',
    async (handler) => {
      const warnings: unknown[] = [];
      const logger = { ...silentLogger, warn: (...line: unknown[]) => void warnings.push(line) };
      const resolved = resolveSubscribeOptions('a', ['orders'], { group: 'mail', unreadable: 'skip' });
      const context = { adapter: 'test-adapter', publisher, lane: laneState, logger };
      const prepared = prepareSubscription(['orders'], handler, resolved, context);
      expect(await prepared.handler([unreadable], signal)).toEqual([ok]);
      expect(warnings).toMatchObject([
        [
          'test-adapter: a record that cannot be read is skipped',
          { group: 'mail', position: '0/1', error: { code: 'CODEC' } },
        ],
      ]);
    },
  );

  it('goes to a function, which may fail', async () => {
    const got: unknown[] = [];
    const policy = async ({ message: { raw, body } }: Delivery, error: unknown): Promise<void> => {
      got.push(raw !== undefined, body, (error as BentoError).code);
      if (got.length > 3) throw new Error('not stored');
    };
    const prepared = prepare({ each: refused }, [], { unreadable: policy });
    expect(await prepared.handler([unreadable], signal)).toEqual([ok]);
    expect(got).toEqual([true, bytes, 'CODEC']);
    expect(await prepared.handler([unreadable], signal)).toMatchObject([
      { ok: false, error: { message: 'not stored' } },
    ]);
  });

  it('has no other way', () => {
    const wrong = { group: 'g', unreadable: 'drop' } as unknown as SubscribeOptions;
    expect(() => resolveSubscribeOptions('a', ['t'], wrong)).toThrow(
      /unreadable must be 'fail', 'skip' or a function, not drop/,
    );
  });
});

describe('a prepared batch subscription', () => {
  it('hands a batch to the handler as it is where there is no middleware', async () => {
    const batch = [order('1'), order('2')];
    const prepared = prepare({ batch: async (given) => (given === batch ? [ok, ok] : []) });
    expect(await prepared.handler(batch, signal)).toEqual([ok, ok]);
  });

  it('lets each delivery pass the middleware and hands them on together', async () => {
    const passed: string[] = [];
    const slow: Middleware = (next) => async (one, abort) => {
      await Promise.resolve();
      passed.push(one.message.id);
      await next(one, abort);
      passed.push(`${one.message.id} done`);
    };
    const { calls, batch } = recording();
    const prepared = prepare({ batch }, [slow]);
    expect(await prepared.handler([order('1', 'a'), order('2', 'a'), order('3')], signal)).toEqual([ok, ok, ok]);
    expect(calls).toEqual(['1 2 3']);
    expect(passed).toEqual(['1', '2', '3', '1 done', '2 done', '3 done']);
  });

  it('leaves out what middleware answers itself', async () => {
    const { calls, batch } = recording();
    expect(await prepare({ batch }, [seen]).handler([order('1'), order('2'), order('3')], signal)).toEqual([
      ok,
      ok,
      ok,
    ]);
    expect(calls).toEqual(['1 3']);
  });

  it('hands a delivery on again when middleware tries it again', async () => {
    const bad = new Set(['2']);
    const { calls, batch } = recording(bad);
    const twice: Middleware = (next) => async (one, abort) => {
      try {
        await next(one, abort);
      } catch {
        bad.clear();
        await next(one, abort);
      }
    };
    expect(await prepare({ batch }, [twice]).handler([order('1'), order('2'), order('3')], signal)).toEqual([
      ok,
      ok,
      ok,
    ]);
    expect(calls).toEqual(['1 2 3', '2']);
  });

  it('refuses later deliveries of a key after a failed one, with code ABORTED in their middleware', async () => {
    const aborted: string[] = [];
    const deadLetter: Middleware = (next) => (one, abort) =>
      next(one, abort).catch((error: unknown) => {
        if (!isBentoError(error, 'ABORTED')) return;
        aborted.push(one.message.id);
        throw error;
      });
    const { batch } = recording(new Set(['1']));
    const prepared = prepare({ batch }, [deadLetter]);
    const outcomes = await prepared.handler([order('1', 'a'), order('2', 'a'), order('3', 'b')], signal);
    expect(outcomes).toMatchObject([ok, { ok: false, error: { code: 'ABORTED' } }, ok]);
    expect(aborted).toEqual(['2']);
  });

  it('does not believe middleware that swallows the refusal', async () => {
    const { batch } = recording(new Set(['1']));
    const outcomes = await prepare({ batch }, [swallow]).handler([order('1', 'a'), order('2', 'a')], signal);
    expect(outcomes).toMatchObject([ok, { ok: false, error: { code: 'ABORTED' } }]);
  });

  it('refuses what follows a delivery that failed before it reached the handler', async () => {
    const { calls, batch } = recording();
    const outcomes = await prepare({ batch }, [gatekeeper]).handler(
      [order('1', 'a'), order('2', 'a'), order('3')],
      signal,
    );
    expect(outcomes).toMatchObject([{ ok: false }, { ok: false, error: { code: 'ABORTED' } }, ok]);
    expect(calls).toEqual(['3']);
  });

  it('does not wait for ever where middleware lets deliveries wait for each other', async () => {
    let last: Promise<void> = Promise.resolve();
    const oneAtATime: Middleware = (next) => (one, abort) => {
      const before = last;
      last = (async () => {
        await before;
        await next(one, abort);
      })();
      return last;
    };
    const clock = new VirtualClock();
    const { calls, batch } = recording();
    const done = prepare({ batch }, [oneAtATime], {}, clock).handler([order('1'), order('2')], signal);
    await clock.settle();
    expect(calls).toEqual([]);
    await clock.advance(100);
    expect(await done).toEqual([ok, ok]);
    expect(calls).toEqual(['1', '2']);
    expect(clock.pending).toBe(0);
  });

  it('keeps the order of a key also when its first delivery is late in the middleware', async () => {
    const clock = new VirtualClock();
    const late: Middleware = (next) => async (one, abort) => {
      if (one.message.id === '1') await new Promise<void>((resolve) => void clock.schedule(resolve, 150));
      await next(one, abort);
    };
    const { calls, batch } = recording();
    const done = prepare({ batch }, [late], {}, clock).handler([order('1', 'a'), order('2', 'a'), order('3')], signal);
    await clock.advance(200);
    expect(await done).toEqual([ok, ok, ok]);
    expect(calls).toEqual(['3', '1 2']);
  });

  it('fails every delivery when the handler throws or miscounts, the later ones of a key as not handled', async () => {
    const careless: BatchHandler[] = [
      () => {
        throw new Error('at once');
      },
      async () => [ok],
    ];
    for (const batch of careless) {
      const outcomes = await prepare({ batch }, [pass]).handler([order('1', 'a'), order('2', 'a'), order('3')], signal);
      expect(outcomes.map((one) => one.ok || isBentoError(one.error, 'ABORTED'))).toEqual([false, true, false]);
    }
  });

  it('handles what middleware makes up as a batch of its own', async () => {
    const echo: Middleware = (next) => async (one, abort) => {
      await next(one, abort);
      await next(order(`${one.message.id}-echo`), abort);
    };
    const { calls, batch } = recording();
    expect(await prepare({ batch }, [echo]).handler([order('1')], signal)).toEqual([ok]);
    expect(calls).toEqual(['1', '1-echo']);
  });
});
