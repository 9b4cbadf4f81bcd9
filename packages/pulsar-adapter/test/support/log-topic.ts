import type { CheckpointedItem, Message } from '@bento-bus/core';
import type { PulsarTransport } from '@bento-bus/pulsar-adapter';
import { uniqueName } from './names.ts';
import { until } from './poll.ts';

export const positionAt = (place: number): string => String(place).padStart(12, '0');

const keys = 7;

/** Event `place` of a log, from 1. Always the same. */
export function eventAt(topic: string, place: number): CheckpointedItem {
  const message: Message = {
    id: `e${place}`,
    type: 'test.event',
    source: '/test',
    time: 1_700_000_000_000 + place,
    key: `k${place % keys}`,
    headers: {},
    body: Buffer.from(String(place)),
  };
  return { topic, message, position: positionAt(place) };
}

/** Events `from` to `to`. */
export const eventsOf = (topic: string, from: number, to: number): CheckpointedItem[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => eventAt(topic, from + index));

/** Ids of all that a topic holds, in the order of each key: up to a last message that is published for it. */
export async function idsIn(transport: PulsarTransport, topic: string): Promise<string[]> {
  const ids: string[] = [];
  const ends = Array.from({ length: keys }, (_, index) => `end-${uniqueName('x')}-${index}`);
  const left = new Set(ends);
  const subscription = await transport.subscribe(
    [topic],
    async ({ message }) => {
      if (message.id.startsWith('end-')) left.delete(message.id);
      else ids.push(message.id);
    },
    { group: uniqueName('count'), concurrency: 32 },
  );
  // The last of each key: another key would overtake what waits in its lane.
  const messageOf = (id: string, index: number): Message => ({ ...eventAt(topic, 0).message, id, key: `k${index}` });
  await transport.publish(topic, ends.map(messageOf));
  await until('reading the topic to its end', () => left.size === 0);
  await subscription.close();
  return ids;
}
