import type { DeliveryHandler, Middleware } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { messageOf, SmallTransport } from '../../test/small-transport.ts';
import type { Instrument } from '../instrument.ts';
import { instrument } from './instrument.ts';

const fail: DeliveryHandler = async () => {
  throw new Error('no');
};
const swallowing: Middleware = (next) => (delivery, signal) => next(delivery, signal).catch(() => {});

describe('An instrument inside of middleware', () => {
  const seen: string[] = [];
  const seeing =
    (name: string): Middleware =>
    (next, { topic }) =>
    async (delivery, signal) => {
      seen.push(`${name} ${topic}`);
      await next(delivery, signal).catch((error: unknown) => {
        seen.push(`${name} failed`);
        throw error;
      });
    };
  const watching = (name: string): Instrument => ({
    subscribing: () => ({ use: seeing(`outside ${name}`), inside: seeing(`inside ${name}`) }),
  });

  it('sees each try, and how it ended before middleware answers it', async () => {
    const transport = new SmallTransport();
    const instrumented = instrument(transport, [watching('a'), watching('b')]);
    await instrumented.subscribe(['orders'], fail, { group: 'mail', use: [seeing('use'), swallowing] });
    await transport.publish('orders', [messageOf('1')]);
    expect(seen).toEqual([
      'outside a orders',
      'outside b orders',
      'use orders',
      'inside a orders',
      'inside b orders',
      'inside b failed',
      'inside a failed',
    ]);
  });

  it('harms nothing when it throws, and needs no other middleware', async () => {
    const transport = new SmallTransport();
    const throwing: Instrument = {
      subscribing: () => ({
        inside: () => () => {
          throw new Error('inside');
        },
      }),
    };
    const handled: string[] = [];
    await instrument(transport, [throwing]).subscribe(
      ['orders'],
      async ({ message }) => void handled.push(message.id),
      {
        group: 'mail',
      },
    );
    await transport.publish('orders', [messageOf('1')]);
    expect(handled).toEqual(['1']);
  });
});
