import { headerNames } from '@bento-bus/core';
import { plain } from '@bento-bus/core/adapter';
import { describe, expect, it } from '@jest/globals';
import { delayTopics, strandedTopic } from '../src/delay/route.ts';
import type { KafkaTransport, KafkaTransportOptions } from '../src/index.ts';
import { useBroker } from './support/broker.ts';
import { startChild } from './support/child.ts';
import { eventually, message, unique } from './support/messages.ts';

const server = useBroker();
/** Each test has a tenant: topics of delay, and their group, of its own. */
const open = (tenant: string, options: Partial<KafkaTransportOptions> = {}): KafkaTransport =>
  server.open({ tenant, ...options });

const dueIn = (ms: number) => ({ [headerNames.deliverAt]: String(Date.now() + ms) });

/** Records when each message was handled. */
function timed() {
  const calls: { readonly id: string; readonly early: number }[] = [];
  const handler = async ({ message: { id, headers } }: { message: ReturnType<typeof message> }): Promise<void> => {
    calls.push({ id, early: Number(headers[headerNames.deliverAt]) - Date.now() });
  };
  return { calls, handler, ids: () => new Set(calls.map(({ id }) => id)) };
}

describe('delays on Kafka', () => {
  it('loses nothing and is never early when the process that carries them is killed', async () => {
    const [tenant, topic, count] = [unique('t'), unique('topic'), 400];
    const env = { KAFKA_BROKERS: server.brokers, TENANT: tenant, TOPIC: topic, COUNT: String(count) };
    const child = startChild('delaying-child.ts', env);
    await child.seen('published');
    const { calls, handler, ids } = timed();
    const transport = open(tenant);
    await transport.subscribe([topic], handler, { group: 'g', concurrency: 16 });
    await eventually('handling a part', () => ids().size > count / 10);
    child.process.kill('SIGKILL');
    await child.ended;
    await eventually('handling all', () => ids().size === count);
    expect(calls.filter(({ early }) => early > 0)).toEqual([]);
    // What was on its way when it died may come twice; what was carried long before may not.
    expect(calls.length - count).toBeLessThan(count / 2);
  });

  it('delivers each once while processes that carry them come and go', async () => {
    const [tenant, topic, count] = [unique('t'), unique('topic'), 300];
    const { calls, handler, ids } = timed();
    const reader = open(tenant);
    await reader.subscribe([topic], handler, { group: 'g', concurrency: 16 });
    const [first, second] = [open(tenant), open(tenant)];
    const messages = Array.from({ length: count }, (_, index) => message({ headers: dueIn(100 + 10 * index) }));
    await first.publish(topic, messages);
    await eventually('handling a part', () => ids().size > count / 10);
    await second.publish(topic, [message({ headers: dueIn(50) })]);
    await first.close();
    await eventually('handling a larger part', () => ids().size > count / 2);
    await second.close();
    await eventually('handling all', () => ids().size === count + 1);
    expect(calls.length).toBe(count + 1);
    expect(calls.filter(({ early }) => early > 0)).toEqual([]);
  });

  it('delays items of a log, and messages of any format', async () => {
    const [tenant, topic] = [unique('t'), unique('topic')];
    const transport = open(tenant, { format: plain({ typeOf: 'old', idOf: ({ body }) => String(body?.length) }) });
    const got: [string, string | undefined][] = [];
    await transport.subscribe([topic], async ({ message: { id, headers } }) => void got.push([id, headers['x']]), {
      group: 'g',
    });
    const log = await transport.openCheckpointed(unique('log'), { topics: [topic] });
    const later = message({ body: Buffer.alloc(2), headers: { ...dueIn(600), x: 'later' } });
    const now = message({ body: Buffer.alloc(1), headers: { x: 'now' } });
    await log.publish(
      [
        { topic, message: later, position: '1' },
        { topic, message: now, position: '2' },
      ],
      '2',
    );
    await eventually('handling both', () => got.length === 2);
    expect(got).toEqual([
      ['1', 'now'],
      ['2', 'later'],
    ]);
  });

  it('puts to the side what it cannot carry on, and goes on', async () => {
    const [tenant, topic] = [unique('t'), unique('topic')];
    const transport = open(tenant);
    const { handler, ids } = timed();
    await transport.subscribe([topic], handler, { group: 'g' });
    await transport.publish(topic, [message({ id: 'first', headers: dueIn(10) })]);
    const client = server.client();
    const producer = client.producer();
    await producer.connect();
    const at = `${tenant}.default.`;
    const foreign = { value: 'foreign' };
    await producer.send({ topic: `${at}${delayTopics[0] as string}`, messages: [foreign] });
    await producer.disconnect();
    const stranded: string[] = [];
    const reader = open(tenant, { format: plain({ typeOf: 'any' }) });
    await reader.subscribe([strandedTopic], async ({ message: { body } }) => void stranded.push(String(body)), {
      group: 'g',
    });
    await eventually('setting it aside', () => stranded.length === 1);
    expect(stranded).toEqual(['foreign']);
    await transport.publish(topic, [message({ id: 'second', headers: dueIn(10) })]);
    await eventually('going on', () => ids().has('second'));
  });
});
