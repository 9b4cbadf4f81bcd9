import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { createHarness } from '@bento-bus/conformance/harness';
import { BentoError, createMessageBus, PublishError, type Transport } from '@bento-bus/core';
import { createInProcessTransport, createVirtualClock, type InProcessTransport } from '@bento-bus/inprocess-bus';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { harnessScenarios } from './harness/scenarios.ts';
import { messageOf } from './support/messages.ts';

const opened: Transport[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((transport) => transport.close()));
});
function open() {
  const clock = createVirtualClock();
  const transport = createInProcessTransport({ clock });
  opened.push(transport);
  return { clock, transport };
}

const item = (position: string) => ({
  topic: 'orders',
  position,
  message: { ...messageOf('k', 'x'), id: position },
});

describe('The test harness in process', () => {
  harnessScenarios({ open: async () => open(), topic: () => 'orders', timeoutMs: 10_000 });

  it('lets hours pass in no time, and things happen at their time', async () => {
    const { clock, transport } = open();
    const harness = createHarness({ transport, clock });
    const start = clock.now();
    const times: number[] = [];
    await harness.transport.subscribe(['orders'], async () => void times.push(clock.now() - start), { group: 'g' });
    const dueIn = (ms: number) => messageOf('k', 'x', { ce_deliverat: String(start + ms) });
    await harness.transport.publish('orders', [dueIn(3_600_000), dueIn(86_400_000)]);
    await harness.allHandled();
    expect(times).toEqual([3_600_000, 86_400_000]);
    expect(harness.consumed.map(({ at }) => at - start)).toEqual(times);
  });

  it('waits for handlers that wait for the outside world', async () => {
    const { clock, transport } = open();
    const harness = createHarness({ transport, clock });
    const [start, began] = [clock.now(), performance.now()];
    await harness.transport.subscribe(['orders'], async () => sleep(20), { group: 'g' });
    await harness.transport.publish('orders', [messageOf('a', '1'), messageOf('a', '2')]);
    await harness.allHandled();
    expect(harness.consumed).toHaveLength(2);
    // Virtual time has not run away meanwhile.
    expect(clock.now() - start).toBeLessThan(100 * (performance.now() - began));
  });

  it('moves time for handlers that wait for the clock', async () => {
    const { clock, transport } = open();
    const harness = createHarness({ transport, clock });
    const handler = (): Promise<void> => new Promise((resolve) => void clock.schedule(resolve, 500));
    await harness.transport.subscribe(['orders'], handler, { group: 'g' });
    await harness.transport.publish('orders', [messageOf('a', '1')]);
    await harness.allHandled();
    expect(harness.consumed).toHaveLength(1);
  });

  it('leaves the transport its other powers, and the identity of its close', async () => {
    const { clock, transport } = open();
    const harness = createHarness<InProcessTransport>({ transport, clock });
    expect('topics' in harness.transport).toBe(true);
    expect(await harness.transport.topics()).toEqual([]);
    expect(harness.transport.backlog('nobody')).toBe(0);
    expect(harness.transport.close()).toBe(transport.close());
  });

  it('records what a relay publishes, and what it skips not', async () => {
    const { clock, transport } = open();
    const harness = createHarness<InProcessTransport>({ transport, clock });
    await harness.transport.subscribe(['orders'], async () => {}, { group: 'g' });
    const log = await harness.transport.openCheckpointed('log', { topics: ['orders'] });
    await log.publish([item('1'), item('2')], '2');
    await log.publish([item('2'), item('3')], '3');
    await harness.allHandled();
    expect(harness.published.ids).toEqual(['1', '2', '3']);
    expect(harness.consumed.ids).toEqual(['1', '2', '3']);
    await log.close();
  });

  it('does not count what was not stored', async () => {
    const { clock, transport } = open();
    const faulty: Transport = {
      ...transport,
      publish: async (topic, messages) => {
        await transport.publish(topic, messages.slice(0, 1));
        throw new PublishError('the broker is away', [1], true);
      },
    };
    const harness = createHarness({ transport: faulty, clock });
    await harness.transport.subscribe(['orders'], async () => {}, { group: 'g' });
    const messages = [messageOf('a', '1'), messageOf('b', '2')];
    await expect(harness.transport.publish('orders', messages)).rejects.toThrow('the broker is away');
    await harness.allHandled();
    expect(harness.published.ids).toEqual([messages[0]?.id]);
    expect(harness.consumed.ids).toEqual([messages[0]?.id]);
  });

  it('tells of a subscription that has ended by a fault', async () => {
    const { clock, transport } = open();
    const fault = new BentoError('AUTHORIZATION', 'no longer allowed.');
    const faulty: Transport = {
      ...transport,
      subscribe: async (topics, handler, options) => ({
        ...(await transport.subscribe(topics, handler, options)),
        closed: Promise.reject(fault),
      }),
    };
    const harness = createHarness({ transport: faulty, clock });
    await harness.transport.subscribe(['orders'], async () => {}, { group: 'g' });
    await expect(harness.allHandled()).rejects.toMatchObject({ code: 'ABORTED', cause: fault });
  });

  it('does not wait for groups that nobody reads for any more', async () => {
    const { clock, transport } = open();
    const harness = createHarness({ transport, clock });
    const subscription = await harness.transport.subscribe(['orders'], async () => {}, { group: 'g' });
    await subscription.close();
    await harness.transport.publish('orders', [messageOf('a', '1')]);
    await harness.allHandled();
    expect(harness.consumed).toHaveLength(0);
    await harness.transport.subscribe(['orders'], async () => {}, { group: 'g' });
    await harness.allHandled();
    expect(harness.consumed).toHaveLength(1);
  });

  it('counts what leaves its lane by the hook for exhausted messages', async () => {
    const { clock, transport } = open();
    const harness = createHarness({ transport, clock });
    const taken: string[] = [];
    await harness.transport.subscribe(
      ['orders'],
      async () => {
        throw new Error('poison');
      },
      {
        group: 'g',
        maxHoldMs: 1_000,
        use: [
          (next, subscription) => {
            subscription.onExhausted(async ({ message }) => void taken.push(message.id));
            return next;
          },
        ],
      },
    );
    const message = messageOf('a', '1');
    await harness.transport.publish('orders', [message]);
    await harness.allHandled();
    expect(taken).toEqual([message.id]);
    expect(harness.retried.length).toBe(harness.failed.length - 1);
  });

  it('lets assertions be waited for', async () => {
    const { clock, transport } = open();
    const harness = createHarness({ transport, clock });
    await harness.transport.subscribe(['orders'], async () => {}, { group: 'g' });
    await harness.transport.publish('orders', [messageOf('a', '1')]);
    await harness.waitFor(({ consumed }) => expect(consumed).toHaveLength(1));
    const vain = harness.waitFor(({ consumed }) => expect(consumed).toHaveLength(2), {
      timeoutMs: 50,
      what: 'two came',
    });
    await expect(vain).rejects.toThrow(/cannot see that two came: 50 ms have passed; .*; no message is pending/s);
  });

  it('does what the README of conformance says', async () => {
    const readme = await readFile(new URL('../../../packages/conformance/README.md', import.meta.url), 'utf8');
    const example = /```ts harness\n(.*?)```/s.exec(readme)?.[1] ?? '';
    const module = new URL('../tmp/readme-test/harness-example.ts', import.meta.url);
    await mkdir(new URL('.', module), { recursive: true });
    await writeFile(module, example);
    const printed: string[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((...values: unknown[]) => {
      printed.push(values.map((value) => inspect(value, { breakLength: 200 })).join(' '));
    });
    await import(module.href);
    log.mockRestore();
    expect(printed).toEqual([...example.matchAll(/^\/\/ ([[{].*)$/gm)].map(([, text]) => text));
    expect(printed).toHaveLength(4);
  });

  it('names what is missing', async () => {
    expect(() => createHarness({ transport: {}, clock: {}, timeoutMs: 0 } as never)).toThrow(
      /transport must be .*; clock must have .*; timeoutMs must be/,
    );
    const { clock, transport } = open();
    const harness = createHarness({ transport, clock });
    const publish = createMessageBus({
      transport: harness.transport,
      codec: { contentType: 'x', encode: () => ({ body: new Uint8Array() }), decode: () => 1 },
      source: '/x',
    }).publish('orders', 1);
    await publish;
    await expect(harness.published.bodies()).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });
});
