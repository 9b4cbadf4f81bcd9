import type { EventBatchHandler, Outcome } from '@bento-bus/core';
import { describe, expect, it } from '@jest/globals';
import { batchBus, item, manualClock, orderEvents } from '../test/rig.ts';
import { createDispatcher } from './index.ts';

const placed = orderEvents['order.placed'];
const shipped = orderEvents['order.shipped'];
const options = { group: 'g', size: 10 };

describe('batch handlers of a dispatcher', () => {
  it('get the events of their type together; others run one by one, and every key keeps its order', async () => {
    const log: string[] = [];
    const { bus, handle } = batchBus();
    await createDispatcher()
      .onBatch(placed, (batch) => void log.push(batch.map(({ event }) => event.data.orderId).join('+')))
      .on(shipped, async ({ data }) => {
        await Promise.resolve();
        log.push(data.orderId);
      })
      .subscribe(bus, options);
    const outcomes = await handle([
      item('a1', 'order.placed'),
      item('b1', 'order.placed'),
      item('a2', 'order.placed'),
      item('b2', 'order.shipped'),
      item('b3', 'order.shipped'),
      item('c1', 'order.shipped'),
      item('b4', 'order.placed'),
    ]);
    expect(outcomes).toEqual(Array.from({ length: 7 }, () => ({ ok: true })));
    expect(log.filter((line) => line !== 'c1')).toEqual(['a1+b1+a2', 'b2', 'b3', 'b4']);
    expect(log).toContain('c1');
  });

  it('stop a key at its first failure, in whatever handler', async () => {
    const log: string[] = [];
    const { bus, handle } = batchBus();
    await createDispatcher()
      .onBatch(placed, (batch) => {
        log.push(batch.map(({ event }) => event.data.orderId).join('+'));
        return batch.map(
          ({ event }): Outcome => (event.data.orderId === 'a1' ? { ok: false, error: new Error('a1') } : { ok: true }),
        );
      })
      .on(shipped, async ({ data }) => {
        log.push(data.orderId);
        if (data.orderId === 'b2') throw new Error('b2');
      })
      .subscribe(bus, options);
    const outcomes = await handle([
      item('a1', 'order.placed'),
      item('b1', 'order.placed'),
      item('a2', 'order.shipped'),
      item('b2', 'order.shipped'),
      item('b3', 'order.shipped'),
      item('b4', 'order.placed'),
    ]);
    expect(log).toEqual(['a1+b1', 'b2']);
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : (outcome.error as Error).message.slice(0, 10)))).toEqual([
      'a1',
      'ok',
      'dispatcher',
      'b2',
      'dispatcher',
      'dispatcher',
    ]);
    expect(outcomes[2]).toMatchObject({ error: { code: 'ABORTED' } });
  });

  it('of one type run side by side, and are not shown again what they have done', async () => {
    const log: string[] = [];
    const { bus, handle } = batchBus();
    let isMended = false;
    const failing: EventBatchHandler<{ data: { orderId: string } }> = (batch) => {
      log.push(`f ${batch.map(({ event }) => event.data.orderId).join('+')}`);
      return batch.map(({ event }) =>
        isMended || event.data.orderId !== 'b1' ? { ok: true } : { ok: false, error: new Error('b1') },
      );
    };
    await createDispatcher()
      .onBatch(placed, async (batch) => void log.push(`s ${batch.map(({ event }) => event.data.orderId).join('+')}`))
      .onBatch(placed, failing)
      .subscribe(bus, options);
    const outcomes = await handle([item('a1', 'order.placed'), item('b1', 'order.placed')]);
    expect(outcomes).toEqual([{ ok: true }, { ok: false, error: new Error('b1') }]);
    isMended = true;
    await handle([item('b1', 'order.placed'), item('c1', 'order.placed')]);
    expect(log).toEqual(['s a1+b1', 'f a1+b1', 's c1', 'f b1+c1']);
    await handle([item('b1', 'order.placed')]);
    expect(log.slice(4)).toEqual(['s b1', 'f b1']);
  });

  it.each([
    ['throws', () => fail(), 'at once'],
    ['rejects', async () => fail(), 'at once'],
    ['returns outcomes that are not one an event', () => [{ ok: true }] as const, '1 outcomes for 2 events'],
  ])('fail all of a batch when one %s', async (_, handler: EventBatchHandler<unknown>, text) => {
    const { bus, handle } = batchBus();
    await createDispatcher().onBatch(placed, handler).subscribe(bus, options);
    const outcomes = await handle([item('a1', 'order.placed'), item('b1', 'order.placed')]);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ ok: false, error: { message: expect.stringContaining(text) } });
  });

  it('have wrappers and a time limit as other handlers do', async () => {
    const log: string[] = [];
    const { bus, handle } = batchBus();
    const { clock, expire } = manualClock();
    await createDispatcher({ clock })
      .onBatch(
        placed,
        ([first], signal) =>
          new Promise((_, reject) => {
            expect(first?.context.signal).toBe(signal);
            signal.addEventListener('abort', () => reject(new Error('stopped')));
          }),
        {
          timeoutMs: 20,
          name: 'slow',
          use: [
            (next, { name }) =>
              async (batch, signal) => {
                log.push(`around ${name}`);
                return next(batch, signal);
              },
          ],
        },
      )
      .subscribe(bus, options);
    const handled = handle([item('a1', 'order.placed')]);
    expire();
    expect(await handled).toMatchObject([{ ok: false, error: { code: 'TIMEOUT' } }]);
    expect(log).toEqual(['around slow']);
  });

  it('need a size, and leave no single handler of all', async () => {
    const { bus } = batchBus();
    const dispatcher = createDispatcher().onBatch(placed, () => {});
    await expect(dispatcher.subscribe(bus, { group: 'g' })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('size must say'),
    });
    expect(() => dispatcher.handler).toThrow(/batch handlers and responders need/);
    expect(() => dispatcher.on(placed, () => {})).toThrow(/handlers by onBatch already/);
  });
});

function fail(): never {
  throw new Error('at once');
}
