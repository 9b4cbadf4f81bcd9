import type { Message } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { createInProcessTransport } from './transport.ts';

const message = (id: string): Message => ({
  id,
  type: 'order.placed',
  source: 'test',
  time: 0,
  headers: {},
  body: null,
});

describe('the backlog of a group', () => {
  it('counts what waits and what is in hand, until it is finished', async () => {
    await using transport = createInProcessTransport();
    const finish: (() => void)[] = [];
    const handler = (): Promise<void> =>
      new Promise((resolve) => {
        finish.push(resolve);
      });
    await transport.subscribe(['orders'], handler, { group: 'mail' });
    expect(transport.backlog('mail')).toBe(0);
    await transport.publish('orders', [message('1'), message('2'), message('3')]);
    for (let left = 3; left > 0; left -= 1) {
      expect(transport.backlog('mail')).toBe(left);
      while (finish.length === 0) await new Promise(setImmediate);
      finish.shift()?.();
      while (transport.backlog('mail') === left) await new Promise(setImmediate);
    }
    expect(transport.backlog('mail')).toBe(0);
    expect(transport.backlog('nobody')).toBe(0);
  });
});
