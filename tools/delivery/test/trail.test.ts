import { eventually } from '@bento-bus/conformance';
import { createParkingStore, failureHeaders, retry } from '@bento-bus/dlq';
import { createInMemoryEventStore } from '@bento-bus/eventsourcing';
import { createInProcessTransport } from '@bento-bus/inprocess-bus';
import { createMetrics, createTrail, instrument, metricNames } from '@bento-bus/observability';
import { describe, expect, it } from '@jest/globals';
import { useBackend } from './support/backends.ts';
import { messageOf } from './support/messages.ts';
import { trailScenarios } from './trail/scenarios.ts';

const fails = (): Promise<never> => Promise.reject(new RangeError('no such address'));

describe('The trail of a message in process', () => {
  trailScenarios(useBackend('inprocess'), 50);

  it('and metrics know of failures that retry answers by parking', async () => {
    const [trail, metrics] = [createTrail(), createMetrics()];
    const transport = instrument(createInProcessTransport(), [metrics, trail]);
    const parking = createParkingStore({ store: createInMemoryEventStore() });
    const use = [retry({ attempts: 2, sequence: 'key', parking })];
    await using _ = await transport.subscribe(['mails'], fails, { group: 'sender', use });
    const message = { ...messageOf('a', 'mail'), key: 'ada' };
    await transport.publish('mails', [message]);
    const kinds = (): readonly string[] | undefined => trail.of(message.id)?.steps.map(({ kind }) => kind);
    await eventually(() => kinds()?.includes('taken'), { what: 'parked', deadlineMs: 30_000 });
    expect(kinds()).toEqual(['sent', 'failed', 'failed', 'taken']);
    const failures = (await metrics.families()).find(({ name }) => name.otel === metricNames.failures.otel);
    expect(failures?.samples).toMatchObject([{ labels: { 'error.type': 'RangeError' }, value: 2 }]);
    await transport.close();
  });

  // The features do not know each other: this is where they must agree.
  it.each([
    ['retry', { delays: '1', attempts: '1', originGroup: 'mail', errorCode: 'Error', error: 'no' }],
    ['retry', { parked: '1:2', originGroup: 'mail' }],
    ['dead-letter', { reason: 'exhausted', attempts: '2', originGroup: 'mail', errorCode: 'Error', error: 'no' }],
    ['redrive', { redriven: '1', redriveRun: 'run', originGroup: 'mail' }],
  ] as const)('reads the headers of @bento-bus/dlq for a copy that is a %s', (kind, marks) => {
    const headers = Object.fromEntries(
      Object.entries(marks).map(([name, value]) => [failureHeaders[name as keyof typeof failureHeaders], value]),
    );
    const message = messageOf('a', 'copy', headers);
    const trail = createTrail();
    trail.publishing?.('copies', [message], { system: 'test', checkpointed: false });
    expect(trail.of(message.id)?.steps).toMatchObject([
      { kind, group: 'mail', ...('error' in marks && { error: 'no' }) },
    ]);
  });
});
