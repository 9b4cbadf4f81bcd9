import assert from 'node:assert/strict';
import type { NewEvent } from '@bento-bus/core';
import {
  assertStored,
  assertStream,
  type EventStoreContext,
  type EventStoreScenario,
  event,
  scenario,
} from './context.ts';

async function roundTrip(c: EventStoreContext, sent: readonly NewEvent[]): Promise<void> {
  const stream = c.stream();
  await c.store.saveEvents(stream, sent, 0);
  await assertStream(c.store, stream, sent);
  // The log gives the same.
  const all = await c.all();
  for (const [index, one] of sent.entries()) assertStored(all[index], stream, index + 1, one);
}

const signs = '\\ " \' ` / \b\f\n\r\t \u0000 \u2028 {p:String} %s $1 ; -- <>&';

export const roundTripScenarios: readonly EventStoreScenario[] = [
  scenario('gives data back exactly', [], async (c) => {
    const data: readonly unknown[] = [
      null,
      true,
      false,
      0,
      '',
      'null',
      '{}',
      {},
      [],
      [null, [], {}, [[]]],
      { empty: '', none: null, list: [], object: {} },
      { 'a.b': 1, a: { b: 2 }, 'a.': 3, '.b': 4, '': 5, ' ': 6, '0': 7, ä: 8, $type: 9 },
      [2 ** 53, 2 ** 53 - 1, -(2 ** 53), 2 ** 63, 1e21, 1.7e308, 5e-324, 0.1, 0.1 + 0.2, -1.5, 1e-7],
      ['Grüße', '你好', '🚚', 'a\u0308', '\ufeff', signs],
      { [signs]: signs },
      { 'ключ 🔑': { nested: { deeply: { list: [{ x: [1, [2, [3]]] }] } } } },
      ['2026-11-21T00:00:00.000Z', '1e5', '00012', 'true', 'NaN'],
    ];
    await roundTrip(
      c,
      data.map((one) => event({ data: one })),
    );
  }),

  scenario('gives metadata back exactly', [], async (c) => {
    const metadata: readonly NewEvent['metadata'][] = [
      {},
      { correlationId: 'c-1', causationId: 'c-2' },
      { empty: '', 'a.b': '1', a: '2', 'with space': ' x ', 'Upper-Case': 'Ä', ключ: '🔑' },
      { signs, [signs]: 'signs', number: '1', truth: 'true', none: 'null', json: '{"a":[1]}' },
      Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`key-${index}`, 'x'.repeat(index)])),
    ];
    const all = metadata.map((one) => event(one === undefined ? {} : { metadata: one }));
    await roundTrip(c, [...all, event()]);
  }),

  scenario('gives ids, types, schema versions and times back exactly', [], async (c) => {
    await roundTrip(c, [
      event({ id: 'id with spaces', type: 'order.placed' }),
      event({ id: 'ид-ä-🔑', type: 'заказ.создан' }),
      event({ id: `id ${signs}`, type: `type ${signs}` }),
      event({ version: 1 }),
      event({ version: 4_711 }),
      event({ time: 0 }),
      event({ time: 1 }),
      event({ time: 1_700_000_000_123 }),
      event({ time: Date.UTC(2100, 1, 28, 23, 59, 59, 999) }),
    ]);
  }),

  scenario('gives large data back exactly', [], async (c) => {
    const text = Array.from({ length: 20_000 }, (_, index) => `${index}-ä🔑"\\`).join('');
    const rows = Array.from({ length: 1_000 }, (_, index) => ({ index, name: `row ${index}`, price: index / 100 }));
    assert.ok(Buffer.byteLength(text) > 250_000);
    await roundTrip(c, [event({ data: text }), event({ data: { rows } }), event({ data: 'after' })]);
  }),
];
