import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { orderEvents, Renamed } from '../test/catalogue.ts';
import { defineEvents, type EventInput, type StandardSchemaV1 } from './index.ts';

describe('defineEvents', () => {
  it('makes a definition of each event, under its wire type', () => {
    expect(Object.keys(orderEvents)).toEqual(['order.placed', 'order.shipped', 'customer.renamed']);
    expect(orderEvents['order.placed']).toMatchObject({ type: 'order.placed', topic: 'orders', version: 3 });
    expect(orderEvents['customer.renamed']).toMatchObject({ topic: 'customers', schema: Renamed, upcast: {} });
    expect(orderEvents['order.shipped'].key?.({ orderId: 'o1' })).toBe('o1');
  });

  it('freezes the catalogue, its definitions and their upcasts', () => {
    for (const part of [orderEvents, orderEvents['order.placed'], orderEvents['order.placed'].upcast]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it('names every fault in one error', () => {
    const wrong = {
      '': { version: 1, schema: z.string() },
      a: { version: 0, schema: z.string() },
      b: { version: 1.5, schema: { validate: () => true } },
      c: { version: 3, schema: z.string(), upcast: { 1: (old: unknown) => old, 3: (old: unknown) => old } },
      d: { version: 1, schema: z.string(), topic: '', key: 'id', upcast: 7 },
    } as unknown as Record<string, EventInput<StandardSchemaV1>>;
    const define = () => defineEvents({ topic: 'orders' }, wrong);
    expect(define).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
    expect(define).toThrow(
      'core: cannot define the events of topic "orders": ' +
        'an event: its type must not be empty; ' +
        'a: version must be a whole number from 1, not 0; ' +
        'b: version must be a whole number from 1, not 1.5; ' +
        'b: schema must be a Standard Schema (zod, valibot, arktype and others make them); ' +
        'c: upcast must have a function for version 2, to the next one; ' +
        'c: upcast must have nothing for 3: older versions are those from 1 to 2; ' +
        'd: topic must be a name, not empty; ' +
        'd: key must be a function; ' +
        'd: upcast must be an object of functions. ' +
        'Correct these 9 faults and try again.',
    );
  });
});
