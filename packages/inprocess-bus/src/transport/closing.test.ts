import { afterEach, describe, expect, it } from '@jest/globals';
import {
  closeTransports,
  codeOf,
  create,
  gatekeeper,
  message,
  numbered,
  recorder,
  settled,
} from '../../test/support.ts';
import { createVirtualClock } from '../virtual-clock.ts';
import { createInProcessTransport } from './transport.ts';

afterEach(closeTransports);

describe('bad input', () => {
  it('refuses options with every fault in one error', () => {
    expect(() => createInProcessTransport({ name: '', retention: 0.5, publishTimeoutMs: -1 })).toThrow(
      /name must.*retention must.*publishTimeoutMs must/,
    );
  });

  it('refuses names that are none, and messages without an id', async () => {
    const transport = create();
    const { handler } = recorder();
    for (const name of ['', ' ', '\uD800', 5 as unknown as string]) {
      expect(await codeOf(transport.publish(name, [message()]))).toBe('CONFIGURATION');
      expect(await codeOf(transport.subscribe([name], handler, { group: 'g' }))).toBe('CONFIGURATION');
      expect(await codeOf(transport.subscribe(['orders'], handler, { group: name }))).toBe('CONFIGURATION');
      expect(await codeOf(transport.openCheckpointed(name, { topics: ['orders'] }))).toBe('CONFIGURATION');
      expect(await codeOf(transport.openCheckpointed('log', { topics: [name] }))).toBe('CONFIGURATION');
    }
    expect(await codeOf(transport.publish('orders', [message({ id: '' })]))).toBe('CONFIGURATION');
    expect(await codeOf(transport.subscribe([], handler, { group: 'g' }))).toBe('CONFIGURATION');
  });

  it('stores nothing of a publish with a fault in it', async () => {
    const transport = create();
    const { handler, ids } = recorder();
    await transport.subscribe(['orders'], handler, { group: 'g' });
    expect(await codeOf(transport.publish('orders', [message(), message({ id: '' })]))).toBe('CONFIGURATION');
    await settled();
    expect(ids).toEqual([]);
  });
});

describe('closing', () => {
  it('waits for handlers, then refuses everything; closing again is the same', async () => {
    const transport = createInProcessTransport();
    const keeper = gatekeeper();
    const subscription = await transport.subscribe(['orders'], keeper.handler, { group: 'g' });
    await transport.publish(
      'orders',
      numbered('o', 2, () => 'k'),
    );
    await settled();
    let closed = false;
    const closing = transport.close().then(() => (closed = true));
    expect(transport.close()).toBe(transport.close());
    await settled();
    expect(closed).toBe(false);
    keeper.letGo('o0');
    await closing;
    await subscription.closed;
    expect(keeper.started).toEqual(['o0']);
    expect(await codeOf(transport.publish('orders', [message()]))).toBe('CLOSED');
    expect(await codeOf(transport.subscribe(['orders'], keeper.handler, { group: 'g' }))).toBe('CLOSED');
    expect(await codeOf(transport.openCheckpointed('log', { topics: ['orders'] }))).toBe('CLOSED');
  });

  it('lets a handler publish while it drains', async () => {
    const transport = createInProcessTransport();
    let outcome: unknown;
    const keeper = gatekeeper();
    await transport.subscribe(
      ['orders'],
      async (delivery, signal) => {
        await keeper.handler(delivery, signal);
        outcome = await codeOf(transport.publish('done', [message()]));
      },
      { group: 'g' },
    );
    await transport.publish('orders', numbered('o', 1));
    await settled();
    const closing = transport.close();
    await settled();
    keeper.letGo('o0');
    await closing;
    expect(outcome).toBe('no error');
  });

  it('aborts handlers that take longer than the drain', async () => {
    const clock = createVirtualClock();
    const transport = createInProcessTransport({ clock });
    const keeper = gatekeeper();
    await transport.subscribe(['orders'], keeper.handler, { group: 'g', drainMs: 200 });
    await transport.publish('orders', numbered('o', 1));
    await settled();
    const closing = transport.close();
    await clock.advance(199);
    expect(keeper.signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    await closing;
    expect(keeper.signals[0]?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('is safe while subscriptions are being made', async () => {
    for (let round = 0; round < 20; round++) {
      const transport = createInProcessTransport();
      const { handler } = recorder();
      const subscribing = Array.from({ length: 5 }, (_, index) =>
        transport.subscribe(['orders'], handler, { group: `g${index}` }),
      );
      for (let hop = 0; hop < round % 4; hop++) await Promise.resolve();
      await transport.close();
      const outcomes = await Promise.all(
        subscribing.map((one) => codeOf(one.then((subscription) => subscription.closed))),
      );
      expect(['CLOSED', 'no error']).toEqual(expect.arrayContaining(outcomes));
    }
  });

  it('ends publishes that wait for room', async () => {
    const transport = createInProcessTransport({ retention: 1 });
    await transport.subscribe(['orders'], recorder().handler, {
      group: 'g',
      use: [
        (next, subscription) => {
          subscription.ensureTopic('full', { subscription: 'nobody' });
          return next;
        },
      ],
    });
    const waiting = codeOf(transport.publish('full', numbered('o', 2)));
    await settled();
    await transport.close();
    expect(await waiting).toBe('CLOSED');
  });

  it('runs what middleware registered for the end, once the handlers have finished', async () => {
    const transport = create();
    const steps: string[] = [];
    const keeper = gatekeeper();
    const subscription = await transport.subscribe(['orders'], keeper.handler, {
      group: 'g',
      use: [
        (next, context) => {
          context.onClose(async () => void steps.push(`closed after ${keeper.done.length}`));
          return next;
        },
      ],
    });
    await transport.publish('orders', numbered('o', 1));
    await settled();
    const closing = subscription.close();
    keeper.letGo('o0');
    await closing;
    expect(steps).toEqual(['closed after 1']);
  });
});
