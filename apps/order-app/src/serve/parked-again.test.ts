import type { Logger, Message } from '@bento-bus/core';
import { silentLogger } from '@bento-bus/core';
import { createParkingStore, type ParkedFailure } from '@bento-bus/dlq';
import { createInMemoryEventStore } from '@bento-bus/eventsourcing';
import { expect, it } from '@jest/globals';
import { tryParkedAgain } from './parked-again.ts';

const where = { topic: 'orders', group: 'notifications' };
const failure = (attempts: number, reason = 'exhausted'): ParkedFailure => ({
  reason,
  attempts,
  code: 'Error',
  error: 'away',
  stack: '',
  firstFailed: 1,
  lastFailed: 2,
});
const message = (key: string): Message => ({
  id: `of ${key}`,
  key,
  type: 'order.shipped',
  source: '/test',
  time: 0,
  headers: {},
  body: new Uint8Array(),
});

it('what has tries left has its turn, what has none is told of once', async () => {
  const parking = createParkingStore({ store: createInMemoryEventStore() });
  const park = (key: string, failed: ParkedFailure) =>
    parking.begin({ ...where, key }, { message: message(key), position: '1' }, failed);
  await park('early', failure(3));
  await park('nearly over', failure(4));
  await park('over', failure(5));
  await park('hopeless', failure(1, 'not-retryable'));
  const published: string[] = [];
  const told: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (text, fields) => void told.push([text, fields]) };
  const publisher = {
    publish: async (topic: string, messages: readonly Message[]) =>
      void published.push(...messages.map(({ key }) => `${topic} ${key}`)),
  };
  const again = tryParkedAgain({ parking, publisher: publisher as never, ...where, tries: 5, logger });
  await again.finished;
  expect(published).toEqual(['orders-notifications-RETRY early', 'orders-notifications-RETRY nearly over']);
  expect(told).toEqual([['parked messages wait until somebody redrives them', { ...where, keys: 2 }]]);
  await again.close();
});
