import { defineReadModel } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { orderEvents, orderLines, orderProjection, orders } from '../test/support/orders.ts';
import { defineProjection } from './projection.ts';

const evolve = (): never => {
  throw new Error('not called');
};

describe('a projection', () => {
  it('takes the stream id as key where the model has one key column of text', () => {
    expect(orderProjection.key({ type: 'order', id: 'o-1' })).toEqual({ orderId: 'o-1' });
    expect(orderProjection.facts.map(({ model }) => model.name)).toEqual(['order_lines']);
  });

  it('is refused with every fault named', () => {
    const newer = { ...orderLines, version: 2 } as const;
    const define = (): unknown =>
      defineProjection({
        name: '',
        streams: ['order', 'invoice'],
        events: { 'order.misnamed': orderEvents['order.placed'] },
        model: orders,
        evolve,
        facts: [{ model: newer, rows: () => [] }],
      });
    expect(define).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringMatching(/name is empty.*"order\.misnamed".*raise them together.*key must be given/),
      }),
    );
    expect(() => defineProjection({ name: 'x', streams: [], events: {}, model: orders, evolve })).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/no stream type.*no event type/) }),
    );
    const integerKey = defineReadModel({ name: 'n', version: 1, key: ['n'], columns: { n: 'integer' } });
    const numbered = (): unknown =>
      defineProjection({ name: 'n', streams: ['order'], events: orderEvents, model: integerKey, evolve });
    expect(numbered).toThrow(expect.objectContaining({ message: expect.stringContaining('key must be given') }));
  });

  it('is typed: rows by their models, events narrowed by type', () => {
    const typed = defineProjection({
      name: 'typed',
      streams: ['order'],
      events: orderEvents,
      model: orders,
      evolve(row, event) {
        if (event.type === 'order.placed') {
          const version: number = event.streamVersion;
          // @ts-expect-error an order has no text
          const text: string = event.data.text;
          return { orderId: text, country: event.data.country, status: 'x', notes: version, total: '0' };
        }
        // @ts-expect-error the row may not be there yet
        const { country } = row;
        return { orderId: 'x', country: String(country), status: 'x', notes: 1, total: '0' };
      },
      facts: [
        {
          model: orderLines,
          // @ts-expect-error a line has more columns
          rows: (_event, row) => [{ orderId: row.orderId }],
        },
      ],
    });
    expect(typed.name).toBe('typed');
  });
});
