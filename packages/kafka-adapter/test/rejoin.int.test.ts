// kafkajs alone: the other driver has a group member of its own.
import { createRequire } from 'node:module';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { KafkaJSProtocolError } from 'kafkajs';
import { useBroker } from './support/broker.ts';
import { eventually, message, unique } from './support/messages.ts';

const { open } = useBroker();
/** What kafkajs asks a broker. */
const { prototype: requests } = createRequire(import.meta.url)('kafkajs/src/broker') as {
  readonly prototype: Record<Step, (request: object) => Promise<unknown>>;
};
const steps = ['heartbeat', 'joinGroup', 'syncGroup', 'offsetFetch'] as const;
type Step = (typeof steps)[number];

/** What the next requests are answered with; what the broker knows of the group does not change. */
const failing = new Map<Step, string>();
beforeEach(() => {
  failing.clear();
  for (const step of steps) {
    const ask = requests[step];
    jest.spyOn(requests, step).mockImplementation(async function answer(this: unknown, request) {
      const type = failing.get(step);
      if (type === undefined) return ask.call(this, request);
      failing.delete(step);
      throw new KafkaJSProtocolError(Object.assign(new Error(`${step} failed`), { type, code: 14, retriable: true }));
    });
  }
});
afterEach(() => {
  jest.restoreAllMocks();
});

it.each<[Step, string]>([
  ['joinGroup', 'GROUP_LOAD_IN_PROGRESS'],
  ['syncGroup', 'GROUP_LOAD_IN_PROGRESS'],
  ['offsetFetch', 'GROUP_LOAD_IN_PROGRESS'],
  ['joinGroup', 'NETWORK_EXCEPTION'],
])('goes on when joining again fails once at %s: %s', async (step, type) => {
  const transport = open();
  const topic = unique('rejoin');
  const handled = new Set<string>();
  const handler = async ({ message: { id } }: { readonly message: { readonly id: string } }): Promise<void> =>
    void handled.add(id);
  await transport.subscribe([topic], handler, { group: unique('group') });
  await transport.publish(topic, [message({ id: 'before', key: 'k' })]);
  await eventually('handling what was before', () => handled.has('before'));

  failing.set(step, type).set('heartbeat', 'NOT_COORDINATOR_FOR_GROUP');
  await eventually('a join that fails', () => failing.size === 0);
  const after = Array.from({ length: 8 }, (_, key) => message({ id: `after ${key}`, key: `k${key}` }));
  await transport.publish(topic, after);
  await eventually('handling what came after', () => after.every(({ id }) => handled.has(id)));
  expect(handled.size).toBe(9);
});
