import { AsyncLocalStorage } from 'node:async_hooks';
import {
  canListTopics,
  type DeliveryHandler,
  type Logger,
  type Middleware,
  PublishError,
  silentLogger,
} from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { messageOf, SmallTransport } from '../../test/small-transport.ts';
import type { Instrument } from '../instrument.ts';
import { steady } from './careful.ts';
import { instrument } from './instrument.ts';

/** Tells in one list what it sees. */
function teller(name: string, told: string[]): Instrument {
  return {
    publishing: (topic, messages, { checkpointed, system }) => {
      told.push(`${name}: ${checkpointed ? 'log' : system} ${topic} ${messages.map(({ id }) => id).join(' ')}`);
      return {
        messages: messages.map((message) => ({ ...message, id: `${message.id}${name}` })),
        end: (error) => told.push(`${name}: ended ${String(error)}`),
      };
    },
    subscribing: ({ topics, batch, options }) => ({
      use: (next) => async (delivery, signal) => {
        told.push(`${name}: in ${delivery.message.id} ${delivery.attempt}`);
        await next(delivery, signal);
        told.push(`${name}: out`);
      },
      batch: (handler) => (deliveries, signal) => {
        told.push(`${name}: ${deliveries.length} together`);
        return handler(deliveries, signal);
      },
      exhausted: (take) => async (delivery, reason) => {
        told.push(`${name}: exhausted ${String(reason)}`);
        await take(delivery, reason);
      },
      opened: () => void told.push(`${name}: ${topics.join()} of ${options.group}, batch ${batch}`),
    }),
  };
}

const broken: Instrument = {
  publishing: () => {
    throw new Error('publishing');
  },
  subscribing: () => ({
    use: (next) => (delivery, signal) => {
      if (delivery.message.id === 'before') throw new Error('before');
      void next(delivery, signal);
      throw new Error('after');
    },
    batch: () => {
      throw new Error('batch');
    },
    exhausted: () => () => {
      throw new Error('exhausted');
    },
    opened: () => {
      throw new Error('opened');
    },
  }),
};

const fails = async (): Promise<void> => Promise.reject(new Error('no'));
const succeed = async (batch: readonly unknown[]) => batch.map(() => ({ ok: true }) as const);

const ignore: Middleware = (next, subscription) => {
  subscription.onExhausted(async () => {});
  return next;
};

/** Counts the faults that it is told. */
function counting(): Logger & { readonly faults: string[] } {
  const faults: string[] = [];
  return { ...silentLogger, faults, error: (message) => void faults.push(message) };
}

describe('An instrumented transport', () => {
  it('is the transport itself without instruments', () => {
    const transport = new SmallTransport();
    expect(instrument(transport, [])).toBe(transport);
  });

  it('can all that the transport can, private fields and all', async () => {
    const transport = new SmallTransport();
    await using instrumented = instrument(transport, [{}]);
    await instrumented.subscribe(['orders'], async () => {}, { group: 'mail' });
    expect(instrumented.backlog()).toBe(1);
    expect(instrumented).toBeInstanceOf(SmallTransport);
    expect('openCheckpointed' in instrumented && !canListTopics(instrumented)).toBe(true);
    expect(() => {
      instrumented.limit = 0;
    }).toThrow('small: too many');
    instrumented.refusal = 'not this time';
    expect(transport.refusal).toBe('not this time');
  });

  it('shows publishes to the first instrument first, and ends them from the inside out', async () => {
    const told: string[] = [];
    const transport = new SmallTransport();
    const instrumented = instrument(transport, [teller('a', told), {}, teller('b', told)]);
    await instrumented.publish('orders', [messageOf('1'), messageOf('2')]);
    expect(transport.published).toEqual([['orders', '1ab 2ab']]);
    expect(told).toEqual(['a: small orders 1 2', 'b: small orders 1a 2a', 'b: ended undefined', 'a: ended undefined']);
    told.length = 0;
    transport.refusal = new PublishError('away', [0], true);
    await expect(instrumented.publish('orders', [messageOf('3')])).rejects.toThrow('away');
    expect(told.slice(2)).toEqual(['b: ended PublishError: away', 'a: ended PublishError: away']);
  });

  it('ends each publish of its own and in its own context, also where one promise confirms several', async () => {
    const contexts = new AsyncLocalStorage<string>();
    const ended: (string | undefined)[] = [];
    // What is private to it may be called anything.
    const publishing = () => Object.assign({ stored: 0 }, { end: () => void ended.push(contexts.getStore()) });
    const confirmed = Promise.resolve();
    const transport = Object.assign(new SmallTransport(), { publish: () => confirmed });
    const instrumented = instrument(transport, [{ publishing }]);
    for (const name of ['a', 'b', 'c'])
      void contexts.run(name, () => instrumented.publish('orders', [messageOf(name)]));
    await confirmed;
    await confirmed;
    expect(ended).toEqual(['a', 'b', 'c']);
  });

  it("shows a log's publish once a topic, keeps its order, and leaves out what is skipped", async () => {
    const told: string[] = [];
    const transport = new SmallTransport();
    const log = await instrument(transport, [teller('a', told)]).openCheckpointed();
    const items = ['5 orders', '6 orders', '7 bills', '8 orders'].map((text) => {
      const [position, topic] = text.split(' ') as [string, string];
      return { topic, position, message: messageOf(position) };
    });
    await log.publish(items, '9');
    expect(told).toEqual(['a: log orders 6 8', 'a: log bills 7', 'a: ended undefined', 'a: ended undefined']);
    const [[sent, through] = [[], '']] = transport.logged;
    expect(sent.map(({ position, topic, message: { id } }) => `${position} ${topic} ${id}`)).toEqual([
      '5 orders 5',
      '6 orders 6a',
      '7 bills 7a',
      '8 orders 8a',
    ]);
    expect([through, log.resumeAfter]).toEqual(['9', '5']);
    transport.refusal = new Error('fenced');
    await expect(log.publish(items.slice(1, 2), '9')).rejects.toThrow('fenced');
    expect(told.at(-1)).toBe('a: ended Error: fenced');
  });

  it('puts instruments around all middleware, whose publishes and hooks they see', async () => {
    const told: string[] = [];
    const transport = new SmallTransport();
    const deadLetters: Middleware = (next, subscription) => {
      subscription.onExhausted(async ({ message }) => subscription.publisher.publish('dead', [message]));
      return async (delivery, signal) => {
        told.push('given');
        await next(delivery, signal);
      };
    };
    const instrumented = instrument(transport, [teller('a', told), teller('b', told)]);
    await instrumented.subscribe(['orders'], fails, { group: 'mail', use: [deadLetters] });
    await transport.publish('orders', [messageOf('1')]);
    expect(told.join('; ')).toBe(
      'a: orders of mail, batch false; b: orders of mail, batch false; ' +
        'a: in 1 1; b: in 1 1; given; a: in 1 2; b: in 1 2; given; ' +
        'a: exhausted Error: no; b: exhausted Error: no; ' +
        'a: small dead 1; b: small dead 1a; b: ended undefined; a: ended undefined',
    );
    expect(transport.published.at(-1)).toEqual(['dead', '1ab']);
  });

  it('sees each delivery of a batch, and the batch', async () => {
    const told: string[] = [];
    const transport = new SmallTransport();
    const options = { group: 'mail', size: 10, waitMs: 0 };
    await instrument(transport, [teller('a', told)]).subscribeBatch(['orders'], succeed, options);
    await transport.publish('orders', [messageOf('1'), messageOf('2')]);
    const expected = ['a: orders of mail, batch true', 'a: in 1 1', 'a: in 2 1', 'a: 2 together', 'a: out', 'a: out'];
    expect(told).toEqual(expected);
  });

  it('leaves it to the transport to say what is wrong with the options', async () => {
    const instrumented = instrument(new SmallTransport(), [teller('a', [])]);
    const use = ['retry'] as unknown as Middleware[];
    await expect(instrumented.subscribe(['orders'], async () => {}, { group: 'mail', use })).rejects.toThrow(
      'small: cannot subscribe group "mail": use must be a list of middleware functions',
    );
  });
});

describe('An instrument that throws', () => {
  it('harms no message, and is named once a kind of fault', async () => {
    const logger = counting();
    const transport = new SmallTransport();
    const instrumented = instrument(transport, [broken], { logger });
    const handled: string[] = [];
    const exhausted: string[] = [];
    const fail: Middleware = (next, subscription) => {
      subscription.onExhausted(async ({ message: { id } }) => void exhausted.push(id));
      return next;
    };
    const handler = async ({ message: { id } }: { readonly message: { readonly id: string } }): Promise<void> => {
      handled.push(id);
      if (id === 'poison') throw new Error('no');
    };
    await instrumented.subscribe(['orders'], handler, { group: 'mail', use: [fail] });
    const all = ['before', 'after', 'poison'].map((id) => messageOf(id));
    for (const message of all) await instrumented.publish('orders', [message]);
    expect(handled).toEqual(['before', 'after', 'poison', 'poison']);
    expect(exhausted).toEqual(['poison']);
    await instrumented.subscribeBatch(['orders'], succeed, { group: 'batches', size: 2, waitMs: 0 });
    await instrumented.publish('orders', [messageOf('last')]);
    const where = logger.faults.map((text) => /^observability: instrument 1 failed in "(\w+)"/.exec(text)?.[1] ?? text);
    expect(where.toSorted()).toEqual(['batch', 'exhausted', 'opened', 'publishing', 'use']);
  });

  it('of those that say when they throw harms none either, and what the handler throws stays', async () => {
    const logger = counting();
    const transport = new SmallTransport();
    const throwing = steady<Instrument>({
      subscribing: () => ({
        use: (next) => (delivery, signal) => {
          if (delivery.message.id === 'before') throw new Error('before');
          return next(delivery, signal);
        },
      }),
    });
    const handled: string[] = [];
    const handler: DeliveryHandler = async ({ message: { id } }) => {
      handled.push(id);
      if (id === 'poison') throw new Error('no');
    };
    await instrument(transport, [throwing], { logger }).subscribe(['orders'], handler, {
      group: 'mail',
      use: [ignore],
    });
    for (const id of ['before', 'poison', 'other']) await transport.publish('orders', [messageOf(id)]);
    expect(handled).toEqual(['before', 'poison', 'poison', 'other']);
    expect(logger.faults).toHaveLength(1);
  });

  it('cannot lose messages, nor fail a publish at its end', async () => {
    const logger = counting();
    const transport = new SmallTransport();
    const swallowing: Instrument = { publishing: () => ({ messages: [], end: () => {} }) };
    const failing: Instrument = {
      publishing: (_, messages) => ({
        messages,
        end: () => {
          throw new Error('end');
        },
      }),
      subscribing: () => {
        throw new Error('subscribing');
      },
    };
    const instrumented = instrument(transport, [swallowing, failing], { logger });
    await instrumented.subscribe(['orders'], async () => {}, { group: 'mail' });
    await instrumented.publish('orders', [messageOf('1')]);
    expect(transport.published).toEqual([['orders', '1']]);
    expect(logger.faults).toHaveLength(3);
  });
});
