import { randomUUID } from 'node:crypto';
import { runScenario, transportScenarios } from '@bento-bus/conformance';
import type { Message } from '@bento-bus/core';
import type { PulsarTransport, SubscriptionType } from '@bento-bus/pulsar-adapter';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { capabilitiesOf } from '../src/capabilities.ts';
import { type Broker, connect, startBroker } from './support/harness.ts';
import { harnessOf } from './support/kit-harness.ts';
import { uniqueName } from './support/names.ts';
import { until } from './support/poll.ts';
import { storageOf } from './support/topics.ts';

let broker: Broker;
const transports: PulsarTransport[] = [];
const client = (options: Parameters<typeof connect>[1] = {}): PulsarTransport => {
  const transport = connect(broker, options);
  transports.push(transport);
  return transport;
};
beforeAll(async () => {
  broker = await startBroker({ own: true });
});
afterAll(async () => {
  await Promise.all(transports.map((transport) => transport.close()));
  await broker.stop();
});

const messages = (count: number, keys: number): Message[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `m${index}-${randomUUID().slice(0, 8)}`,
    type: 'test',
    source: '/test',
    time: Date.now(),
    key: `k${index % keys}`,
    headers: {},
    body: Buffer.from(String(index)),
  }));

/** What each type is held to, beside Key_Shared, which passes the whole kit. */
const promises: Readonly<Record<string, readonly string[]>> = {
  Shared: [
    'shares the messages among the members of a group',
    'delivers a rejected message again, its attempt one higher each time, until it is handled',
  ],
  Failover: [
    'keeps the order of a key among the members of a group',
    'hands over what a leaving member has not finished',
  ],
  Exclusive: [
    'handles the messages of a key in order, one after the other',
    'counts attempts on across subscriptions of a group',
  ],
};

describe('subscription types', () => {
  for (const [type, names] of Object.entries(promises) as [SubscriptionType, readonly string[]][])
    it.each(names)(
      `${type}: %s`,
      async (name) => {
        const scenario = transportScenarios.find((one) => one.name === name);
        const { createTopic: _, ...harness } = harnessOf(broker, 'websocket', (options) =>
          client({ ...options, subscriptionType: type }),
        );
        const result = await runScenario(scenario as NonNullable<typeof scenario>, {
          ...harness,
          capabilities: capabilitiesOf[type],
        });
        expect(result).toEqual({ name, status: 'passed' });
      },
      60_000,
    );

  it('refuses a second member of an Exclusive subscription, and another type, with GROUP_CONFLICT', async () => {
    const [topic, group] = [uniqueName('topic'), uniqueName('group')];
    const exclusive = client({ subscriptionType: 'Exclusive' });
    await exclusive.subscribe([topic], async () => {}, { group });
    await expect(
      client({ subscriptionType: 'Exclusive' }).subscribe([topic], async () => {}, { group }),
    ).rejects.toMatchObject({ code: 'GROUP_CONFLICT' });
    await expect(client().subscribe([topic], async () => {}, { group })).rejects.toMatchObject({
      code: 'GROUP_CONFLICT',
    });
  });

  it('reads as Shared what is to have no order', async () => {
    const topic = uniqueName('topic');
    const group = uniqueName('group');
    const transport = client();
    await transport.subscribe([topic], async () => {}, { group, ordering: 'none' });
    const response = await fetch(`${broker.webUrl}/admin/v2/persistent/public/default/${topic}/stats`);
    const { subscriptions } = (await response.json()) as { subscriptions: Record<string, { type: string }> };
    expect(subscriptions[group]?.type).toBe('Shared');
  });
});

describe('faults', () => {
  it('loses nothing that was confirmed, and keeps keys in order, when the broker is killed under load', async () => {
    const [topic, group] = [uniqueName('topic'), uniqueName('group')];
    // Longer than the broker takes to start on a busy machine.
    const transport = client({ publishTimeoutMs: 90_000 });
    const handled: string[] = [];
    await transport.subscribe([topic], async ({ message }) => void handled.push(message.id), {
      group,
      concurrency: 16,
    });
    const sent = messages(4_000, 40);
    const publishing = (async () => {
      for (let from = 0; from < sent.length; from += 40) await transport.publish(topic, sent.slice(from, from + 40));
    })();
    await until('the load', () => handled.length > 200);
    await broker.kill();
    await broker.restart();
    await publishing;
    await until('handling all', () => new Set(handled).size === sent.length, 60_000);
    const firsts = [...new Set(handled)];
    const place = new Map(firsts.map((id, index) => [id, index]));
    const disorder = sent.filter(
      (message, index) =>
        index >= 40 && (place.get(message.id) as number) < (place.get(sent[index - 40]?.id as string) as number),
    );
    expect(disorder).toEqual([]);
  }, 180_000);

  it('says which messages a broker that is gone did not confirm, within the time allowed', async () => {
    const topic = uniqueName('topic');
    const transport = client({ publishTimeoutMs: 1_500 });
    await transport.publish(topic, messages(1, 1));
    await broker.kill();
    const started = performance.now();
    await expect(transport.publish(topic, messages(3, 1))).rejects.toMatchObject({
      code: 'PUBLISH',
      retryable: true,
      failed: [0, 1, 2],
    });
    expect(performance.now() - started).toBeLessThan(4_000);
    await broker.restart();
    await transport.publish(topic, messages(1, 1));
  }, 120_000);

  it('finds a connection out that answers nothing any more', async () => {
    const topic = uniqueName('topic');
    const warnings: string[] = [];
    const logger = {
      debug: () => {},
      info: () => {},
      error: () => {},
      warn: (_: string, fields?: object) => void warnings.push(String((fields as { error?: unknown }).error)),
    };
    const transport = client({ heartbeatMs: 1_000, logger });
    await transport.subscribe([topic], async () => {}, { group: uniqueName('group') });
    broker.pause();
    try {
      await until(
        'giving the connection up',
        () => warnings.some((text) => text.includes('no answer for 1000 ms')),
        10_000,
      );
    } finally {
      broker.resume();
    }
    expect(warnings.length).toBeGreaterThan(0);
  }, 60_000);

  it('makes one sentence of what the broker says', async () => {
    const transport = client({ namespace: 'nowhere' });
    const error = await transport.publish('topic', messages(1, 1)).catch((reason: unknown) => reason as Error);
    expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC' });
    expect((error as Error).message).toMatch(/^pulsar-adapter: cannot [^\n<]+nowhere[^\n<]+\. .+$/);
  });
});

describe('the topic of attempts', () => {
  it('does not grow with what failed, and keeps what still counts', async () => {
    const [topic, group] = [uniqueName('topic'), uniqueName('group')];
    const transport = client();
    const failing = messages(1, 1)[0] as Message;
    const size = 300;
    const handler = async ({ message, attempt }: { message: Message; attempt: number }): Promise<void> => {
      if (message.id === failing.id || attempt < 2) throw new Error('fails');
      handled += 1;
    };
    let handled = 0;
    const subscription = await transport.subscribe([topic], handler, { group, concurrency: 64, maxHoldMs: 600_000 });
    await transport.publish(topic, [{ ...failing, key: 'failing' }]);
    const attempts = `${topic}-${group}-ATTEMPTS`;
    // How many of them are stored depends on the clock, as one that is handled again at once needs no record: rounds until it was enough.
    const compacted = async (): Promise<boolean> => {
      const { cursors } = await storageOf(broker.webUrl, attempts);
      return cursors['bento-attempts']?.markDeletePosition.endsWith(':-1') === false;
    };
    for (let round = 1; !(await compacted()); round += 1) {
      expect(round).toBeLessThan(40);
      // Each key of its own: all fail once, are stored and forgotten.
      await transport.publish(topic, messages(size, size));
      await until('handling a round', () => handled === round * size);
    }
    await subscription.close();
    let attempt = 0;
    await transport.subscribe(
      [topic],
      async (delivery) => {
        if (delivery.message.id === failing.id) attempt = delivery.attempt;
      },
      { group },
    );
    await until('the message that failed', () => attempt > 0);
    expect(attempt).toBeGreaterThan(2);
  }, 60_000);
});
