import { setTimeout } from 'node:timers/promises';
import type { Message } from '@bento-bus/core';
import type { PulsarTransport } from '@bento-bus/pulsar-adapter';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Child, startChild } from './support/child.ts';
import { type Broker, connect, startBroker } from './support/harness.ts';
import { eventsOf, idsIn, positionAt } from './support/log-topic.ts';
import { uniqueName } from './support/names.ts';
import { until } from './support/poll.ts';
import { createTopic, storageOf, truncateTopic } from './support/topics.ts';

const kills = Number(process.env['KILLS'] ?? 5);
/** So that a holder that was stopped is given up within a test. */
const idleMs = 6_000;
const heartbeatMs = 3_000;

let broker: Broker;
let transport: PulsarTransport;
beforeAll(async () => {
  broker = await startBroker({ own: true, config: { webSocketSessionIdleTimeoutMillis: String(idleMs) } });
  transport = connect(broker, { heartbeatMs });
});
afterAll(async () => {
  await transport.close();
  await broker.stop();
});

const relay = (log: string, topics: readonly string[], length: number, more: object = {}): Child => {
  const { serviceUrl, webUrl } = broker;
  const options = { serviceUrl, webUrl, driver: 'websocket', heartbeatMs };
  return startChild('relay-child.ts', [JSON.stringify({ options, log, topics, length, chunk: 20, ...more })]);
};
const last = (child: Child): string => child.lines().at(-1) ?? '';
const renamed = (message: Message, id: string): Message => ({ ...message, id });
const idsTo = (length: number): string[] => eventsOf('', 1, length).map(({ message }) => message.id);

describe('publishing a log', () => {
  it(
    `stores each event once through ${kills} SIGKILLs, and nothing again after a restart of the broker and a trim`,
    async () => {
      const [log, topics, length] = [uniqueName('log'), [uniqueName('a'), uniqueName('b')] as const, 300 + 60 * kills];
      await createTopic(broker.webUrl, topics[0], 3);
      for (let kill = 0; kill < kills; kill += 1) {
        const child = relay(log, topics, length);
        const from = child.lines().length;
        // Some are killed while they open, the others between and in publishes.
        const mark = kill % 3 === 0 ? 'resumed' : 'published';
        await until(
          'a relay at work',
          () =>
            child
              .lines()
              .slice(from)
              .some((line) => line.startsWith(mark)) || child.process.exitCode !== null,
        );
        await setTimeout(Math.random() * 60);
        child.process.kill('SIGKILL');
        await child.ended;
      }
      const finishing = relay(log, topics, length);
      expect({ code: await finishing.ended, output: finishing.output() }).toMatchObject({ code: 0 });
      const found = [...(await idsIn(transport, topics[0])), ...(await idsIn(transport, topics[1]))];
      expect(found.toSorted()).toEqual(idsTo(length).toSorted());

      // All is confirmed and gone from the topics; only the checkpoint knows.
      await broker.restart();
      for (const part of [
        `${topics[0]}-partition-0`,
        `${topics[0]}-partition-1`,
        `${topics[0]}-partition-2`,
        topics[1],
      ]) {
        // Again where the topic was just being loaded: then the broker leaves what its deduplication cursor had not passed.
        await until(`${part} is empty`, async () => {
          await truncateTopic(broker.webUrl, part);
          return (await storageOf(broker.webUrl, part)).numberOfEntries === 0;
        });
      }
      const again = relay(log, topics, length + 40);
      expect({ code: await again.ended, output: again.output() }).toMatchObject({ code: 0 });
      expect(again.lines()).toContain(`resumed ${positionAt(length)}`);
      const later = [...(await idsIn(transport, topics[0])), ...(await idsIn(transport, topics[1]))];
      const expected = idsTo(length + 40).slice(length);
      expect(later.toSorted()).toEqual(expected.toSorted());
    },
    120_000 + kills * 3_000,
  );

  it('waits for a holder that is stopped, says so, and lets it store nothing when it goes on', async () => {
    const [log, topic] = [uniqueName('log'), uniqueName('topic')];
    const holder = relay(log, [topic], 100_000, { chunk: 5 });
    await until('the holder publishing', () => last(holder).startsWith('published'));
    holder.process.kill('SIGSTOP');
    const impatient = connect(broker, { heartbeatMs, fenceTimeoutMs: 500 });
    await expect(impatient.openCheckpointed(log, { topics: [topic] })).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/did not let go within 500 ms.*webSocketSessionIdleTimeoutMillis/),
    });
    await impatient.close();
    const publisher = await transport.openCheckpointed(log, { topics: [topic] });
    const place = Number(publisher.resumeAfter);
    await publisher.publish(eventsOf(topic, place + 1, place + 10), positionAt(place + 10));
    holder.process.kill('SIGCONT');
    expect(await holder.ended).toBe(0);
    expect(holder.output()).toContain('ended FENCED');
    await publisher.close();
    expect((await idsIn(transport, topic)).toSorted()).toEqual(idsTo(place + 10).toSorted());
  }, 90_000);

  it('finds what it has stored among the messages of others', async () => {
    const [log, topic] = [uniqueName('log'), uniqueName('topic')];
    const holder = relay(log, [topic], 200, { chunk: 10 });
    const others = eventsOf(topic, 1, 300).map(({ message }) => renamed(message, `other-${message.id}`));
    for (let from = 0; from < others.length; from += 50) await transport.publish(topic, others.slice(from, from + 50));
    await until('the relay publishing', () => last(holder).startsWith('published'));
    holder.process.kill('SIGKILL');
    await holder.ended;
    await transport.publish(topic, [renamed(others[0] as Message, 'other-last')]);
    const finishing = relay(log, [topic], 200, { chunk: 10 });
    expect({ code: await finishing.ended, output: finishing.output() }).toMatchObject({ code: 0 });
    const ids = (await idsIn(transport, topic)).filter((id) => !id.startsWith('other-'));
    expect(ids.toSorted()).toEqual(idsTo(200).toSorted());
  }, 60_000);

  it('goes on when the broker is killed and started again while it publishes', async () => {
    const [log, topic] = [uniqueName('log'), uniqueName('topic')];
    const holder = relay(log, [topic], 3_000, { chunk: 10 });
    await until('the relay publishing', () => last(holder).startsWith('published'));
    await broker.kill();
    await broker.restart();
    expect({ code: await holder.ended, output: holder.output() }).toMatchObject({ code: 0 });
    expect((await idsIn(transport, topic)).toSorted()).toEqual(idsTo(3_000).toSorted());
  }, 90_000);
});
