import { describe, expect, it } from '@jest/globals';
import { json } from '../test/json.ts';
import { createTinyTransport } from '../test/tiny-transport.ts';
import { createMessageBus, headerNames, type Message, type PublishOptions } from './index.ts';

/** What a bus at the time 1,000 publishes with these options. */
async function published(options: PublishOptions): Promise<Message | undefined> {
  const sent: Message[] = [];
  const transport = {
    ...createTinyTransport(),
    publish: async (_: string, messages: readonly Message[]) => void sent.push(...messages),
  };
  const bus = createMessageBus({ transport, codec: json, source: 'shop', now: () => 1_000 });
  await bus.publish('orders', { a: 1 }, options);
  return sent[0];
}

describe('publishing with a delay', () => {
  it.each([
    [{ delayMs: 250.2 }, '1251'],
    [{ delayMs: 0 }, '1000'],
    [{ deliverAt: 5_000 }, '5000'],
    [{ deliverAt: 10 }, '10'],
    [{}, undefined],
  ] as const)('says with %j that it is due at %s', async (options, due) => {
    expect((await published(options))?.headers[headerNames.deliverAt]).toBe(due);
  });

  it.each([
    [{ delayMs: 1, deliverAt: 2 }, /give delayMs or deliverAt, not both/],
    [{ delayMs: -1 }, /delayMs must be a number of milliseconds from 0, not -1/],
    [{ delayMs: Number.NaN }, /not NaN/],
    [{ deliverAt: Number.POSITIVE_INFINITY }, /deliverAt must be a number of milliseconds from 0, not Infinity/],
    [{ deliverAt: '5' as never }, /deliverAt must be a number/],
  ] as const)('refuses %j', async (options, text) => {
    const publishing = published(options);
    await expect(publishing).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await expect(publishing).rejects.toThrow(text);
  });
});
