import type { NewEvent } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { decodeEvent, type EventRow, encodeEvents, sealRow } from './event-row.ts';

const stream = { type: 'order', id: 'o' };
const event = (over: Partial<NewEvent> = {}): NewEvent => ({
  id: 'e',
  type: 't',
  version: 1,
  data: {},
  time: 0,
  ...over,
});
const refused = (events: readonly NewEvent[], expectedVersion = 0): unknown => {
  try {
    return encodeEvents(stream, events, expectedVersion);
  } catch (error) {
    return error;
  }
};

describe('encodeEvents', () => {
  it('and decodeEvent are inverse', () => {
    const given = event({
      id: 'é"\\',
      version: 7,
      data: { a: ["'\n"] },
      metadata: { c: 'd' },
      time: 1_700_000_000_123,
    });
    const [row = ''] = encodeEvents(stream, [given], 4).rows;
    const [id, type, aggregateId, aggregateType, version, payload, metadata, time, batch, idx, writer] = JSON.parse(
      sealRow(row, 12, 3, 'w'),
    ) as [string, string, string, string, number, string, string, string, number, number, string];
    expect([time, batch, idx, writer]).toEqual(['2023-11-14 22:13:20.123', 12, 3, 'w']);
    const read: EventRow = [
      id,
      type,
      aggregateId,
      aggregateType,
      version,
      payload,
      metadata,
      String(given.time),
      '12',
      3,
    ];
    const { version: eventVersion, ...rest } = given;
    expect(decodeEvent(read)).toEqual({
      ...rest,
      stream,
      streamVersion: 5,
      eventVersion,
      position: '0000000000000012-00000003',
    });
  });

  it('names every fault of every event', () => {
    expect(
      refused(
        [
          event({ id: '', type: '\udc00', version: 0, time: 0.5 }),
          event({ data: [1n], metadata: { $x: 'y', n: 1 as unknown as string } }),
          event({ data: { at: new Date() } }),
        ],
        -1,
      ),
    ).toMatchObject({
      code: 'VALIDATION',
      issues: [
        { path: 'expectedVersion' },
        { path: 'events', message: 'has two events of one id' },
        { path: 'events[0].id' },
        { path: 'events[0].type' },
        { path: 'events[0].version' },
        { path: 'events[0].time' },
        { path: 'events[1].metadata.$x', message: expect.stringContaining('reserved') },
        { path: 'events[1].metadata.n' },
        { path: 'events[1].data[0]' },
        { path: 'events[2].data.at' },
      ],
    });
    expect(refused([])).toMatchObject({ code: 'VALIDATION', message: expect.stringContaining('events is empty') });
  });

  it('refuses more than the engine stores as one block', () => {
    expect(refused(Array.from({ length: 100_001 }, (_, i) => event({ id: String(i) })))).toMatchObject({
      code: 'OVERSIZE',
    });
    const heavy = 'x'.repeat(17_000_000);
    expect(refused(Array.from({ length: 4 }, (_, i) => event({ id: String(i), data: heavy })))).toMatchObject({
      code: 'OVERSIZE',
    });
  });
});
