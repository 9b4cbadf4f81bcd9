import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { orderEvents } from '../test/catalogue.ts';
import {
  decodeEvent,
  defineEvents,
  type StandardSchemaV1,
  upcastEvent,
  type ValidationError,
  validate,
} from './index.ts';

const placed = orderEvents['order.placed'];
const failing = (fail: () => never): StandardSchemaV1 => ({
  '~standard': { version: 1, vendor: 'test', validate: fail },
});

describe('validate', () => {
  it('gives the output at once where the schema is synchronous, else a promise of it', async () => {
    expect(validate(z.string().trim(), ' a ', 'x')).toBe('a');
    const slow = z.string().refine(async (text) => text.length > 1);
    const output = validate(slow, 'ab', 'x');
    expect(output).toBeInstanceOf(Promise);
    expect(await output).toBe('ab');
    await expect(validate(slow, 'a', 'core: cannot x')).rejects.toMatchObject({ code: 'VALIDATION' });
  });

  it('names the fields that are wrong, ten of them in the text and all in issues', () => {
    const lines = z.object({ lines: z.array(z.object({ quantity: z.number() })) });
    const wrong = { lines: Array.from({ length: 12 }, () => ({ quantity: 'x' })) };
    let error: ValidationError | undefined;
    try {
      void validate(lines, wrong, 'core: cannot publish "order.placed"');
    } catch (thrown) {
      error = thrown as ValidationError;
    }
    expect(error).toMatchObject({ code: 'VALIDATION', retryable: false });
    expect(error?.issues).toHaveLength(12);
    expect(error?.issues[11]?.path).toBe('lines.11.quantity');
    expect(error?.message).toMatch(
      /^core: cannot publish "order.placed": lines.0.quantity: .*; lines.9.quantity: [^;]*; and 2 more. Correct the data.$/,
    );
  });

  it('reads paths of both forms that Standard Schema allows', () => {
    const issues = [{ message: 'bad', path: ['a', { key: 0 }, Symbol('s')] }, { message: 'whole' }];
    const schema: StandardSchemaV1 = { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues }) } };
    expect(() => validate(schema, 1, 'x')).toThrow('x: a.0.Symbol(s): bad; whole. Correct the data.');
  });

  it('turns what a schema throws or rejects with into a ValidationError with the cause', async () => {
    const cause = new TypeError('bug.');
    const throws = failing(() => {
      throw cause;
    });
    expect(() => validate(throws, 1, 'x')).toThrow(
      expect.objectContaining({ code: 'VALIDATION', cause, message: 'x: its schema failed: bug. Correct the schema.' }),
    );
    const rejects: StandardSchemaV1 = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(cause) },
    };
    await expect(validate(rejects, 1, 'x')).rejects.toMatchObject({ code: 'VALIDATION', cause });
  });
});

describe('decodeEvent', () => {
  it('brings old versions up one by one and then validates', () => {
    const current = { orderId: 'o1', total: '12.50', channel: 'web' };
    expect(decodeEvent(placed, 1, { id: 'o1', total: 12.5 })).toEqual(current);
    expect(decodeEvent(placed, 2, { orderId: 'o1', total: 12.5 })).toEqual(current);
    expect(decodeEvent(placed, 3, { orderId: 'o1', total: '12.50' })).toEqual(current);
    expect(upcastEvent(placed, 2, { orderId: 'o1', total: 1, extra: 1 })).toEqual({
      orderId: 'o1',
      total: '1.00',
      extra: 1,
    });
  });

  it('refuses data that the schema refuses, after the upcast', () => {
    expect(() => decodeEvent(placed, 2, { orderId: '', total: 1 })).toThrow(
      /cannot read the event "order.placed": orderId: /,
    );
  });

  it.each([0, -1, 1.5, Number.NaN, 4])('refuses version %d, which the catalogue does not know', (version) => {
    expect(() => decodeEvent(placed, version, {})).toThrow(
      expect.objectContaining({ code: 'VALIDATION', message: expect.stringContaining(`of version ${version}`) }),
    );
  });

  it('names the upcast that failed', () => {
    const cause = new Error('no total');
    const { broken } = defineEvents(
      { topic: 't' },
      {
        broken: {
          version: 2,
          schema: z.unknown(),
          upcast: {
            1: () => {
              throw cause;
            },
          },
        },
      },
    );
    expect(() => decodeEvent(broken, 1, {})).toThrow(
      expect.objectContaining({
        cause,
        message: expect.stringContaining('its upcast from version 1 failed: no total'),
      }),
    );
  });
});
