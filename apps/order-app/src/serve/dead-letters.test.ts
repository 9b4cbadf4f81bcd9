import { eventually } from '@bento-bus/conformance';
import { silentLogger } from '@bento-bus/core';
import { createMetrics, metricNames } from '@bento-bus/observability';
import { expect, it } from '@jest/globals';
import { countDeadLetters } from './dead-letters.ts';

it('dead letters are counted on a timer, and who scrapes waits for nobody', async () => {
  const metrics = createMetrics();
  const told: string[] = [];
  const logger = { ...silentLogger, warn: (text: string) => void told.push(text) };
  const place = { topic: 'orders', group: 'mail' };
  let asked = 0;
  const failedPlaces = async () => {
    asked += 1;
    if (asked === 1) return [{ ...place, count: 3 }];
    if (asked < 4) throw new Error('away');
    return new Promise<never>(() => {});
  };
  const shown = async () =>
    (await metrics.families()).find(({ name }) => name.otel === metricNames.deadLetters.otel)?.samples;
  await using _ = countDeadLetters({ operations: { failedPlaces }, metrics, everyMs: 1, logger });
  await eventually(() => asked === 4, { deadlineMs: 10_000 });
  for (let i = 0; i < 2; i += 1) expect(await shown()).toEqual([{ labels: place, value: 3 }]);
  expect(asked).toBe(4);
  expect(told).toEqual(['dead letters cannot be counted']);
});
