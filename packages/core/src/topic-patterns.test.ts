import { describe, expect, it } from '@jest/globals';
import { json } from '../test/json.ts';
import { createTinyTransport } from '../test/tiny-transport.ts';
import { deferred } from './adapter/index.ts';
import { BentoError, createMessageBus, isBesideTopic, type TopicListing, type Transport } from './index.ts';

/** A bus on a transport that can list the topics of `existing`, and what its subscriptions were opened with. */
function rig(existing: Set<string>, open: (topics: readonly string[]) => Promise<void> = async () => {}) {
  const opened: { readonly topics: readonly string[]; readonly startPosition: unknown }[] = [];
  const tiny = createTinyTransport();
  const transport: Transport & TopicListing = {
    ...tiny,
    topics: async () => [...existing],
    subscribe: async (topics, handler, options) => {
      opened.push({ topics, startPosition: options.startPosition });
      await open(topics);
      return tiny.subscribe(topics, handler, options);
    },
  };
  return { bus: createMessageBus({ transport, codec: json, source: 'shop' }), transport, opened };
}

async function until(what: () => boolean): Promise<void> {
  while (!what())
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
}

const nothing = async (): Promise<void> => {};
const quick = { group: 'g', topicRefreshMs: 5 };

describe('a subscription to patterns', () => {
  it('gets what is published to each topic that matches, now and later', async () => {
    const existing = new Set(['orders-a', 'orders-b', 'payments', 'orders-a-g-DLQ', '__consumer_offsets']);
    const { bus, opened } = rig(existing);
    const got: string[] = [];
    await bus.subscribe([/^orders-/g, 'named'], (event, { topic }) => void got.push(`${topic} ${String(event.data)}`), {
      ...quick,
      startPosition: 'latest',
    });
    expect(opened).toEqual([{ topics: ['named', 'orders-a', 'orders-b'], startPosition: 'latest' }]);
    for (const topic of ['orders-a', 'payments', 'named']) await bus.publish(topic, 1);
    existing.add('orders-c');
    await until(() => opened.length === 2);
    expect(opened[1]).toEqual({ topics: ['named', 'orders-a', 'orders-b', 'orders-c'], startPosition: 'earliest' });
    await bus.publish('orders-c', 2);
    await until(() => got.length === 3);
    expect(got).toEqual(['orders-a 1', 'named 1', 'orders-c 2']);
    existing.delete('orders-a');
    await until(() => opened.length === 3);
    expect(opened[2]?.topics).toEqual(['named', 'orders-b', 'orders-c']);
    await bus.close();
  });

  it('waits where nothing matches yet', async () => {
    const existing = new Set<string>();
    const { bus, opened } = rig(existing);
    const subscription = await bus.subscribe(/^orders$/, nothing, quick);
    expect(opened).toEqual([]);
    existing.add('orders');
    await until(() => opened.length === 1);
    await subscription.close();
    await subscription.closed;
    existing.add('orders2');
    expect(opened.length).toBe(1);
  });

  it('lets handlers finish before it takes other topics', async () => {
    const existing = new Set(['a1']);
    const { bus, opened } = rig(existing);
    const finished = deferred();
    let running = false;
    await bus.subscribe(
      /^a/,
      async () => {
        running = true;
        await finished.promise;
        running = false;
      },
      quick,
    );
    await bus.publish('a1', 1);
    await until(() => running);
    existing.add('a2');
    await until(() => existing.size === 2);
    expect(opened.length).toBe(1);
    finished.resolve();
    await until(() => opened.length === 2);
    expect(running).toBe(false);
    await bus.close();
  });

  it('tries again when the topics cannot be subscribed to for now, and ends when they never can', async () => {
    const existing = new Set(['a1']);
    let failures = 2;
    let code: 'CONNECTION' | 'AUTHORIZATION' = 'CONNECTION';
    const { bus, opened } = rig(existing, async (topics) => {
      if (topics.length > 1 && failures > 0) {
        failures -= 1;
        throw new BentoError(code, 'not now', code === 'CONNECTION');
      }
    });
    const subscription = await bus.subscribe(/^a/, nothing, quick);
    existing.add('a2');
    await until(() => opened.length === 4);
    code = 'AUTHORIZATION';
    failures = 1;
    existing.add('a3');
    await expect(subscription.closed).rejects.toMatchObject({ code: 'AUTHORIZATION' });
    await bus.close();
  });

  it('refuses what cannot be', async () => {
    const bus = createMessageBus({ transport: createTinyTransport(), codec: json, source: 'shop' });
    await expect(bus.subscribe(/a/, nothing, { group: 'g' })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    const { bus: able } = rig(new Set());
    await expect(able.subscribe(/a/, nothing, { group: 'g', topicRefreshMs: 0 })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    });
    await expect(able.subscribe([], nothing, { group: 'g' })).rejects.toMatchObject({ code: 'CONFIGURATION' });
  });

  it('knows topics that stand beside others', () => {
    for (const topic of [
      'orders-mail-RETRY',
      'orders-mail-DLQ',
      'x-CHECKPOINT',
      'o-g-ATTEMPTS',
      'bento-delay-4s',
      'bento-reply-shop-1',
      'orders-mail-AUDIT',
      '__x',
    ])
      expect(isBesideTopic(topic)).toBe(true);
    for (const topic of ['orders', 'RETRY', 'bento', 'my-DLQs']) expect(isBesideTopic(topic)).toBe(false);
  });
});
