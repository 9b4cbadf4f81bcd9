import { type Codec, createMessageBus } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { createInProcessTransport } from '../index.ts';

const text: Codec = {
  contentType: 'text/plain',
  encode: (value) => ({ body: Buffer.from(String(value)) }),
  decode: (body) => Buffer.from(body).toString(),
};

async function until(what: () => boolean): Promise<void> {
  while (!what())
    await new Promise((resolve) => {
      setTimeout(resolve, 2);
    });
}

describe('patterns in process', () => {
  it('take in what was published to topics that come later', async () => {
    await using transport = createInProcessTransport();
    const bus = createMessageBus({ transport, codec: text, source: 'test' });
    await bus.publish('orders-a', 'a');
    await bus.publish('payments', 'p');
    await bus.publish('orders-a-mail-DLQ', 'dead');
    const got: string[] = [];
    await bus.subscribe(/^orders-/, ({ data }, { topic }) => void got.push(`${topic} ${String(data)}`), {
      group: 'g',
      topicRefreshMs: 5,
    });
    await bus.publish('orders-b', 'b');
    await bus.publish('orders-b', 'b again');
    await until(() => got.length === 3);
    await bus.publish('orders-a', 'a again');
    await until(() => got.length === 4);
    expect(got).toEqual(['orders-a a', 'orders-b b', 'orders-b b again', 'orders-a a again']);
    expect(await transport.topics()).toEqual(['orders-a', 'payments', 'orders-a-mail-DLQ', 'orders-b']);
    await bus.close();
  });
});
