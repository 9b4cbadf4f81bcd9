// Two groups with both policies, and redrives once their handler is mended; it kills itself at a step that the environment names.
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openClickHouse } from '@bento-bus/clickhouse-store';
import type { Delivery, EventStore, Transport } from '@bento-bus/core';
import { createParkingStore, listParked, redrive, redriveParked, retry } from '@bento-bus/dlq';
import { textOf } from '../support/messages.ts';
import { openTransport } from '../support/open-transport.ts';

const given = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`set ${name}`);
  return value;
};
const topic = given('DELIVERY_TOPIC');
const folder = given('DELIVERY_FOLDER');
const killAt = Number(given('DELIVERY_KILL_AT'));
const killPhase = given('DELIVERY_KILL_PHASE');
const isMended = (): boolean => existsSync(`${folder}/mended`);

let steps = 0;
/** Before and after each step; a step is a publish of a copy, or a change of the parking. */
const step = (what: string): void => {
  if (killPhase !== (isMended() ? 'drain' : 'fail')) return;
  steps += 1;
  if (steps !== killAt) return;
  appendFileSync(`${folder}/kills`, `${killPhase} ${what}\n`);
  process.kill(process.pid, 'SIGKILL');
};

function stepping(transport: Transport): Transport {
  const publish = transport.publish.bind(transport);
  return Object.assign(transport, {
    publish: async (to: string, messages: Parameters<Transport['publish']>[1]) => {
      step(`before a publish to ${to.split('-').at(-1) ?? ''}`);
      await publish(to, messages);
      step(`after a publish to ${to.split('-').at(-1) ?? ''}`);
    },
  });
}

function steppingStore(store: EventStore): EventStore {
  return new Proxy(store, {
    get: (target, name: keyof EventStore) => {
      const member: unknown = target[name];
      if (name !== 'saveEvents') return typeof member === 'function' ? member.bind(target) : member;
      return async (...args: Parameters<EventStore['saveEvents']>) => {
        step(`before ${args[1].map(({ type }) => type).join('+')}`);
        const position = await target.saveEvents(...args);
        step(`after ${args[1].map(({ type }) => type).join('+')}`);
        return position;
      };
    },
  });
}

const transport = stepping(openTransport(process.env));
const clickhouse = await openClickHouse({ url: given('DELIVERY_CLICKHOUSE') });
const parking = createParkingStore({ store: steppingStore(clickhouse.eventStore) });

/** `<key>:<number>:<kind>`; kind f fails until it is mended, t its first two tries, o never. */
const handlerOf =
  (group: string) =>
  async (delivery: Delivery): Promise<void> => {
    const text = textOf(delivery);
    const kind = text.split(':')[2];
    if (!isMended() && (kind === 'f' || (kind === 't' && delivery.attempt < 3))) throw new Error(`fails: ${text}`);
    appendFileSync(`${folder}/${group}`, `${text}\n`);
  };

const options = { concurrency: 4, startPosition: 'earliest' } as const;
const backoff = { baseMs: 10, capMs: 30 };
await transport.subscribe([topic], handlerOf('plain'), {
  ...options,
  group: 'plain',
  use: [retry({ attempts: 2, backoff, delays: [300] })],
});
await transport.subscribe([topic], handlerOf('parking'), {
  ...options,
  group: 'parking',
  use: [retry({ attempts: 2, backoff, delays: [300], sequence: 'key', parking })],
});
writeFileSync(`${folder}/ready`, String(process.pid));
for (;;) {
  await sleep(100);
  if (!isMended()) continue;
  await redrive({ transport, topic, group: 'plain', idleMs: 1_500 });
  const place = { parking, topic, group: 'parking' };
  await redriveParked({ ...place, publisher: transport });
  await sleep(1_000);
  writeFileSync(`${folder}/parked`, String((await listParked(place)).size));
}
