import { isBentoError, type Returning } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { createCommandBus } from './command-bus.ts';
import { createQueryBus } from './query-bus.ts';
import type { RequestMiddleware } from './request-bus.ts';

class ShipOrder implements Returning<string> {
  declare readonly '~result'?: string;
  readonly orderId: string;
  constructor(orderId: string) {
    this.orderId = orderId;
  }
}
class RushOrder extends ShipOrder {}
class PayOrder {
  readonly amount = 1;
}

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect('a rejection').toBe('a success'),
    (error: unknown) => error,
  );

describe('command bus', () => {
  it('hands a command to the handler of its class and gives back its answer', async () => {
    const commands = createCommandBus();
    commands.register(ShipOrder, (command) => `shipped ${command.orderId}`);
    const answer: string = await commands.execute(new ShipOrder('o-1'));
    expect(answer).toBe('shipped o-1');
  });

  it('turns a synchronous throw into a rejection', async () => {
    const commands = createCommandBus();
    const cause = new Error('out of stock');
    commands.register(ShipOrder, () => {
      throw cause;
    });
    expect(await rejection(commands.execute(new ShipOrder('o-1')))).toBe(cause);
  });

  it('refuses a second handler for a class and names it', () => {
    const commands = createCommandBus();
    commands.register(ShipOrder, () => '');
    expect(() => commands.register(ShipOrder, () => '')).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringMatching(/command "ShipOrder".*already/),
      }),
    );
  });

  it('rejects a command without a handler and lists the known ones', async () => {
    const commands = createCommandBus();
    commands.register(ShipOrder, () => '');
    const error = await rejection(commands.execute(new PayOrder()));
    expect(isBentoError(error, 'CONFIGURATION')).toBe(true);
    expect(String(error)).toContain('cannot execute command "PayOrder": it has no handler');
    expect(String(error)).toContain('Known: ShipOrder.');
  });

  it('lists at most ten known classes', async () => {
    const commands = createCommandBus();
    for (let n = 0; n < 12; n++)
      commands.register({ [`C${n}`]: class extends ShipOrder {} }[`C${n}`] as typeof ShipOrder, () => '');
    expect(String(await rejection(commands.execute(new PayOrder())))).toContain('… (12 in all)');
  });

  it('hints at a module that was loaded twice', async () => {
    const commands = createCommandBus();
    commands.register({ ['PayOrder']: class extends ShipOrder {} }['PayOrder'], () => '');
    expect(String(await rejection(commands.execute(new PayOrder())))).toContain('loaded twice');
  });

  it('does not take a subclass for its base class', async () => {
    const commands = createCommandBus();
    commands.register(ShipOrder, () => 'base');
    expect(isBentoError(await rejection(commands.execute(new RushOrder('o-1'))), 'CONFIGURATION')).toBe(true);
  });

  it('is not misled by a payload with a constructor field', async () => {
    const commands = createCommandBus();
    commands.register(ShipOrder, ({ orderId }) => orderId);
    const command = Object.assign(new ShipOrder('o-1'), { constructor: PayOrder });
    expect(await commands.execute(command)).toBe('o-1');
  });

  it('names what is no instance of a class at all', async () => {
    const commands = createCommandBus();
    const bare = Object.create(null) as object;
    for (const request of [undefined, null, 5, 'x', bare] as object[])
      expect(isBentoError(await rejection(commands.execute(request)), 'CONFIGURATION')).toBe(true);
    expect(String(await rejection(commands.execute(undefined as unknown as object)))).toContain('"undefined"');
  });

  it('refuses what is no class and what is no handler', () => {
    const commands = createCommandBus();
    expect(() => commands.register((() => {}) as unknown as typeof PayOrder, () => {})).toThrow(/not a class/);
    expect(() => commands.register(PayOrder, undefined as unknown as () => void)).toThrow(/not a function/);
  });

  it('takes a registration back once, and never a later one', async () => {
    const commands = createCommandBus();
    const takeBack = commands.register(ShipOrder, () => 'first');
    takeBack();
    commands.register(ShipOrder, () => 'second');
    takeBack();
    expect(await commands.execute(new ShipOrder('o-1'))).toBe('second');
  });

  it('wraps every handler in its middleware, the first outermost, once at registration', async () => {
    const steps: string[] = [];
    const traced =
      (name: string): RequestMiddleware =>
      (next, type) => {
        steps.push(`built ${name} for ${type.name}`);
        return async (request) => {
          steps.push(`in ${name}`);
          return next(request);
        };
      };
    const commands = createCommandBus({ use: [traced('outer'), traced('inner')] });
    commands.register(ShipOrder, ({ orderId }) => orderId);
    expect(await commands.execute(new ShipOrder('o-1'))).toBe('o-1');
    expect(await commands.execute(new ShipOrder('o-2'))).toBe('o-2');
    expect(steps).toEqual([
      'built inner for ShipOrder',
      'built outer for ShipOrder',
      'in outer',
      'in inner',
      'in outer',
      'in inner',
    ]);
  });
});

describe('query bus', () => {
  it('answers by the same mechanism and speaks of queries', async () => {
    const queries = createQueryBus();
    queries.register(ShipOrder, async ({ orderId }) => `found ${orderId}`);
    expect(await queries.execute(new ShipOrder('o-1'))).toBe('found o-1');
    expect(String(await rejection(queries.execute(new PayOrder())))).toContain('cannot execute query "PayOrder"');
  });
});
