import { describe, expect, it } from '@jest/globals';
import { delivery } from '../../test/deliveries.ts';
import { VirtualClock } from '../../test/virtual-clock.ts';
import type { BatchHandler, Delivery, Outcome } from '../index.ts';
import { createLanes, type Lanes, type LanesOptions } from './index.ts';

const ok: Outcome = { ok: true };
const failed = (error: unknown = new Error('no')): Outcome => ({ ok: false, error });

interface Call {
  readonly batch: readonly Delivery[];
  readonly ids: string;
  readonly signal: AbortSignal;
  end(...outcomes: Outcome[]): Promise<void>;
  throw(error: unknown): Promise<void>;
}

/** Lanes whose handler calls are ended by the test. */
class Rig {
  readonly clock = new VirtualClock();
  readonly calls: Call[] = [];
  readonly settled: string[] = [];
  readonly faults: unknown[] = [];
  readonly lanes: Lanes<string>;

  constructor(options: Partial<LanesOptions<string>> = {}) {
    const handler: BatchHandler = (batch, signal) =>
      new Promise((resolve, reject) => {
        this.calls.push({
          batch,
          ids: batch.map((one) => `${one.message.id}:${one.attempt}`).join(' '),
          signal,
          end: (...outcomes) => {
            resolve(outcomes.length > 0 ? outcomes : batch.map(() => ok));
            return this.clock.settle();
          },
          throw: (error) => {
            reject(error);
            return this.clock.settle();
          },
        });
      });
    this.lanes = createLanes<string>({
      handler,
      size: 1,
      waitMs: 0,
      concurrency: 10,
      ordering: 'key',
      maxHoldMs: 5_000,
      maxLaneBacklog: 100,
      settle: (token) => {
        this.settled.push(token);
      },
      onFault: (error) => {
        this.faults.push(error);
      },
      clock: this.clock,
      backoff: (failures) => 100 * 2 ** (failures - 1),
      ...options,
    });
  }

  /** Pushes `id` or `key/id`. */
  async push(...names: string[]): Promise<void> {
    for (const name of names) {
      const [key, id = name] = name.includes('/') ? name.split('/') : [];
      if (!this.lanes.push(delivery(key === undefined ? { id } : { key, id }), name)) throw new Error('not taken');
    }
    await this.clock.settle();
  }

  get open(): string[] {
    return this.calls.map((call) => call.ids);
  }

  call(index: number): Call {
    const call = this.calls[index];
    if (call === undefined) throw new Error(`no call ${index}: ${this.open.join(', ')}`);
    return call;
  }
}

const exhausting = (options: Partial<LanesOptions<string>> = {}) => {
  const taken: { readonly id: string; readonly reason: unknown; resolve(): void; reject(error: unknown): void }[] = [];
  const rig = new Rig({
    exhausted: ({ message }, reason) =>
      new Promise((resolve, reject) => {
        taken.push({ id: message.id, reason, resolve, reject });
      }),
    ...options,
  });
  return { rig, taken };
};

describe('lanes', () => {
  it('start nothing before push has returned', () => {
    const rig = new Rig();
    rig.lanes.push(delivery(), 'x');
    expect(rig.calls).toHaveLength(0);
  });

  it('handle one key in order and other keys meanwhile', async () => {
    const rig = new Rig();
    await rig.push('a/1', 'a/2', 'b/3', '4');
    expect(rig.open).toEqual(['1:1', '3:1', '4:1']);
    await rig.call(0).end();
    expect(rig.open).toEqual(['1:1', '3:1', '4:1', '2:1']);
    expect(rig.settled).toEqual(['a/1']);
  });

  it('keep to the concurrency', async () => {
    const rig = new Rig({ concurrency: 2 });
    await rig.push('1', '2', '3');
    expect(rig.open).toEqual(['1:1', '2:1']);
    expect(rig.lanes.running).toBe(2);
    await rig.call(1).end();
    expect(rig.open).toEqual(['1:1', '2:1', '3:1']);
    expect(rig.lanes.inFlight).toBe(2);
  });

  it('let messages of one key run together where no order is asked for', async () => {
    const rig = new Rig({ ordering: 'none' });
    await rig.push('a/1', 'a/2');
    expect(rig.open).toEqual(['1:1', '2:1']);
  });

  it('try a failing delivery again after the backoff, with its attempt one higher, and hold what is behind it', async () => {
    const rig = new Rig();
    await rig.push('a/1', 'a/2');
    await rig.call(0).throw(new Error('no'));
    await rig.clock.advance(99);
    expect(rig.open).toEqual(['1:1']);
    await rig.clock.advance(1);
    expect(rig.open).toEqual(['1:1', '1:2']);
    await rig.call(1).end(failed());
    await rig.clock.advance(200);
    await rig.call(2).end();
    expect(rig.open).toEqual(['1:1', '1:2', '1:3', '2:1']);
    expect(rig.settled).toEqual(['a/1']);
  });

  it('give the slot of a held delivery to others', async () => {
    const rig = new Rig({ concurrency: 1 });
    await rig.push('a/1', 'b/2');
    await rig.call(0).throw('no error object');
    expect(rig.open).toEqual(['1:1', '2:1']);
  });

  it('isolate handlers that throw at once, reject with nothing, or return no outcomes', async () => {
    const behaviours: BatchHandler[] = [
      () => {
        throw new Error('at once');
      },
      // eslint-disable-next-line prefer-promise-reject-errors -- what a careless handler does
      () => Promise.reject(undefined),
      () => undefined as never,
      () => Promise.resolve([]),
      () => Promise.resolve([ok, ok]),
      () => Promise.resolve([null as never]),
      () => Promise.resolve('ok' as never),
    ];
    for (const behaviour of behaviours) {
      let calls = 0;
      const rig = new Rig({
        handler: (batch, signal) => ((calls += 1) === 1 ? behaviour(batch, signal) : Promise.resolve([ok])),
      });
      await rig.push('1');
      expect(rig.settled).toEqual([]);
      await rig.clock.advance(100);
      expect(rig.settled).toEqual(['1']);
    }
  });

  it('take turns between retries and fresh work', async () => {
    const rig = new Rig({ concurrency: 1, backoff: () => 1 });
    await rig.push('a', 'b');
    await rig.call(0).throw(1);
    await rig.call(1).throw(1);
    await rig.clock.advance(10);
    await rig.push('c', 'd');
    for (let index = 2; index < 6; index += 1) await rig.call(index).end();
    expect(rig.open).toEqual(['a:1', 'b:1', 'a:2', 'c:1', 'b:2', 'd:1']);
  });
});

describe('lanes at their limits', () => {
  it('give a delivery that failed for maxHoldMs to the hook, after a last try at the limit', async () => {
    const { rig, taken } = exhausting({ maxHoldMs: 250 });
    await rig.push('a/1', 'a/2');
    await rig.call(0).throw('first');
    await rig.clock.advance(100);
    await rig.call(1).throw('second');
    await rig.clock.advance(149);
    expect(rig.open).toHaveLength(2);
    await rig.clock.advance(1);
    await rig.call(2).throw('third');
    expect(taken).toMatchObject([{ id: '1', reason: 'third' }]);
    expect(rig.settled).toEqual([]);
    expect(rig.open).toHaveLength(3);
    taken[0]?.resolve();
    await rig.clock.settle();
    expect(rig.settled).toEqual(['a/1']);
    expect(rig.open).toEqual(['1:1', '1:2', '1:3', '2:1']);
  });

  it('give a failing delivery to the hook as soon as too many wait behind it', async () => {
    const { rig, taken } = exhausting({ maxLaneBacklog: 2 });
    await rig.push('a/1');
    await rig.call(0).throw('no');
    await rig.push('a/2', 'a/3');
    expect(taken).toEqual([]);
    expect(rig.lanes.stateOf(delivery({ key: 'a' }))).toEqual({ heldMs: 0, backlog: 2 });
    await rig.push('a/4');
    expect(taken).toMatchObject([{ id: '1', reason: 'no' }]);
    taken[0]?.resolve();
    await rig.clock.advance(10_000);
    expect(rig.open).toEqual(['1:1', '2:1']);
  });

  it('ask the hook once, however many come at once behind a failing delivery', async () => {
    const { rig, taken } = exhausting({ maxLaneBacklog: 0 });
    await rig.push('a/1');
    await rig.call(0).throw('no');
    for (const id of ['2', '3', '4']) rig.lanes.push(delivery({ key: 'a', id }), id);
    expect(taken).toEqual([]);
    await rig.clock.settle();
    expect(taken).toHaveLength(1);
  });

  it('give a delivery to the hook at its first failure where too many wait behind it already', async () => {
    const { rig, taken } = exhausting({ maxLaneBacklog: 1 });
    await rig.push('a/1', 'a/2', 'a/3');
    await rig.call(0).throw('no');
    expect(taken).toMatchObject([{ id: '1' }]);
  });

  it('keep a delivery that the hook refuses, and ask only the hook again', async () => {
    const { rig, taken } = exhausting({ maxHoldMs: 0 });
    await rig.push('a/1', 'a/2');
    await rig.call(0).throw('no');
    taken[0]?.reject(new Error('disk full'));
    await rig.clock.settle();
    expect(rig.settled).toEqual([]);
    await rig.clock.advance(100);
    expect(taken).toHaveLength(2);
    taken[1]?.resolve();
    await rig.clock.settle();
    expect(rig.open).toEqual(['1:1', '2:1']);
    expect(rig.settled).toEqual(['a/1']);
  });

  it('survive a hook that throws at once', async () => {
    let calls = 0;
    const rig = new Rig({
      maxHoldMs: 0,
      exhausted: () => {
        calls += 1;
        if (calls === 1) throw new Error('at once');
        return Promise.resolve();
      },
    });
    await rig.push('1');
    await rig.call(0).throw('no');
    await rig.clock.advance(100);
    expect(rig.settled).toEqual(['1']);
  });

  it('hold on without a hook, say so once, and stop the source at the backlog', async () => {
    const limits: string[] = [];
    const rig = new Rig({ maxHoldMs: 300, maxLaneBacklog: 1, onLimit: ({ message }) => limits.push(message.id) });
    await rig.push('a/1');
    await rig.call(0).throw('no');
    await rig.push('a/2');
    expect(rig.lanes.room()).toBeUndefined();
    await rig.push('a/3');
    expect(limits).toEqual(['1']);
    const room = rig.lanes.room();
    expect(room).toBeInstanceOf(Promise);
    expect(rig.lanes.room(delivery({ key: 'a' }))).toBe(room);
    expect(rig.lanes.room(delivery({ key: 'b' }))).toBeUndefined();
    for (let index = 1; index < 6; index += 1) {
      await rig.clock.advance(5_000);
      await rig.call(index).throw('no');
    }
    expect(limits).toEqual(['1']);
    expect(rig.lanes.stateOf(delivery({ key: 'a' })).heldMs).toBe(25_000);
    await rig.clock.advance(5_000);
    await rig.call(6).end();
    await room;
    expect(rig.lanes.room()).toBeUndefined();
    expect(rig.open.slice(-2)).toEqual(['1:7', '2:1']);
  });
});

describe('back-pressure', () => {
  it('makes room wait at maxInFlight and wakes it when something is settled', async () => {
    const rig = new Rig({ maxInFlight: 2 });
    expect(rig.lanes.room()).toBeUndefined();
    await rig.push('1', '2');
    const room = rig.lanes.room();
    await rig.call(0).end();
    await room;
    expect(rig.lanes.room()).toBeUndefined();
  });
});

describe('batches', () => {
  it('start when they are full, or when waitMs has passed since their first delivery', async () => {
    const rig = new Rig({ size: 3, waitMs: 50 });
    await rig.push('1', '2', '3', '4');
    expect(rig.open).toEqual(['1:1 2:1 3:1']);
    await rig.clock.advance(49);
    await rig.push('5');
    expect(rig.open).toHaveLength(1);
    await rig.clock.advance(1);
    expect(rig.open).toEqual(['1:1 2:1 3:1', '4:1 5:1']);
  });

  it('hold several deliveries of one key, and share no key while in flight', async () => {
    const rig = new Rig({ size: 2 });
    await rig.push('a/1', 'a/2', 'a/3', 'b/4');
    expect(rig.open).toEqual(['1:1 2:1', '4:1']);
    await rig.call(0).end();
    expect(rig.open).toEqual(['1:1 2:1', '4:1', '3:1']);
  });

  it('let each key have its turn', async () => {
    const rig = new Rig({ size: 2, concurrency: 1 });
    await rig.push('a/1', 'a/2', 'a/3', 'a/4', 'b/5', 'b/6');
    await rig.call(0).end();
    await rig.call(1).end();
    expect(rig.open).toEqual(['1:1 2:1', '5:1 6:1', '3:1 4:1']);
  });

  it('count what follows a failed delivery of its key as not handled: again, later, with the same attempt', async () => {
    const rig = new Rig({ size: 10 });
    await rig.push('a/1', 'a/2', 'a/3', 'b/4');
    await rig.call(0).end(ok, failed(), ok, ok);
    expect(rig.settled).toEqual(['a/1', 'b/4']);
    await rig.clock.advance(100);
    expect(rig.open).toEqual(['1:1 2:1 3:1 4:1', '2:2']);
    await rig.call(1).end();
    expect(rig.open.at(-1)).toBe('3:1');
  });

  it('try each delivery of a batch that failed whole alone, so that the bad one cannot fail the others twice', async () => {
    const rig = new Rig({ size: 10 });
    await rig.push('a/1', 'b/2', 'b/3');
    await rig.call(0).end(ok, ok);
    expect(rig.settled).toEqual([]);
    await rig.clock.advance(100);
    expect(rig.open).toEqual(['1:1 2:1 3:1', '1:2', '2:2']);
  });
});

describe('settling', () => {
  it('holds the slot and the lane until its promise resolves', async () => {
    let stored: (() => void) | undefined;
    const rig = new Rig({
      concurrency: 1,
      settle: () =>
        new Promise((resolve) => {
          stored = resolve;
        }),
    });
    await rig.push('a/1', 'a/2', 'b/3');
    await rig.call(0).end();
    expect(rig.open).toEqual(['1:1']);
    expect(rig.lanes.inFlight).toBe(3);
    stored?.();
    await rig.clock.settle();
    expect(rig.open).toEqual(['1:1', '3:1']);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('no disk'))],
    [
      'throws',
      () => {
        throw new Error('no disk');
      },
    ],
  ])('that %s is a fault: nothing more starts, and the delivery is left unacknowledged', async (_, settle) => {
    const rig = new Rig({ concurrency: 1, settle });
    await rig.push('1', '2');
    await rig.call(0).end();
    expect(rig.faults).toMatchObject([{ message: 'no disk' }]);
    expect(rig.calls).toHaveLength(1);
    expect(rig.lanes.push(delivery(), 'x')).toBe(false);
    expect(rig.lanes.room()).toBeUndefined();
    expect(await rig.lanes.drain(0)).toEqual(['1', '2']);
  });
});

describe('discard', () => {
  it('drops what waits and what is held, and lets what runs end without trying it again', async () => {
    const rig = new Rig({ concurrency: 2 });
    await rig.push('a/1', 'b/2', 'b/3', 'c/4', 'd/5', 'a/6');
    await rig.call(0).throw('held');
    expect(rig.open).toEqual(['1:1', '2:1', '4:1']);
    const dropped = rig.lanes.discard((_, token) => token !== 'd/5' && token !== 'a/6');
    expect([...dropped].toSorted()).toEqual(['a/1', 'b/3']);
    await rig.call(1).throw('too late');
    await rig.call(2).end();
    await rig.clock.advance(60_000);
    expect(rig.open).toEqual(['1:1', '2:1', '4:1', '5:1', '6:1']);
    expect(rig.settled).toEqual(['c/4']);
    await rig.call(3).end();
    await rig.call(4).end();
    expect(rig.lanes.inFlight).toBe(0);
    expect(rig.clock.pending).toBe(0);
  });
});

describe('discard of what is under way', () => {
  it('forgets what did not get its turn in a batch, and what the batch failed', async () => {
    const rig = new Rig({ size: 10 });
    await rig.push('a/1', 'a/2', 'b/3');
    rig.lanes.discard(({ message }) => message.key === 'a');
    await rig.call(0).end(failed(), ok, ok);
    await rig.clock.advance(60_000);
    expect(rig.open).toHaveLength(1);
    expect(rig.settled).toEqual(['b/3']);
    expect(rig.lanes.inFlight).toBe(0);
  });

  it('asks a hook that refused no second time', async () => {
    const { rig, taken } = exhausting({ maxHoldMs: 0 });
    await rig.push('a/1', 'a/2');
    await rig.call(0).throw('no');
    rig.lanes.discard((_, token) => token === 'a/1');
    taken[0]?.reject('no');
    await rig.clock.advance(60_000);
    expect(taken).toHaveLength(1);
    expect(rig.open).toEqual(['1:1', '2:1']);
  });

  it('drops what is due but has no slot yet', async () => {
    const rig = new Rig({ concurrency: 1 });
    await rig.push('a/1', 'a/2', 'b/3');
    await rig.call(0).throw('no');
    await rig.clock.advance(100);
    expect(rig.lanes.discard((_, token) => token === 'a/1')).toEqual(['a/1']);
    await rig.call(1).end();
    expect(rig.open).toEqual(['1:1', '3:1', '2:1']);
  });
});

describe('drain', () => {
  it('lets running handlers finish and settle, and returns what has not started', async () => {
    const rig = new Rig({ concurrency: 1 });
    await rig.push('a/1', 'a/2', 'b/3');
    const drained = rig.lanes.drain(1_000);
    expect(rig.lanes.push(delivery(), 'x')).toBe(false);
    await rig.call(0).end();
    expect(await drained).toEqual(['a/2', 'b/3']);
    expect(rig.settled).toEqual(['a/1']);
    expect(rig.calls).toHaveLength(1);
    expect(rig.clock.pending).toBe(0);
    expect(rig.call(0).signal.aborted).toBe(false);
  });

  it('aborts the signal at the deadline, settles nothing afterwards, and returns what was running', async () => {
    const rig = new Rig();
    await rig.push('a/1', 'a/2');
    const drained = rig.lanes.drain(1_000);
    await rig.clock.advance(1_000);
    expect(await drained).toEqual(['a/1', 'a/2']);
    expect(rig.call(0).signal.reason).toMatchObject({ code: 'ABORTED' });
    await rig.call(0).end();
    expect(rig.settled).toEqual([]);
    expect(rig.lanes.drain(5)).toBe(drained);
  });

  it('does not try a delivery again that fails meanwhile, and returns held ones', async () => {
    const rig = new Rig();
    await rig.push('a/1', 'b/2');
    await rig.call(0).throw('no');
    const drained = rig.lanes.drain(1_000);
    await rig.call(1).throw('no');
    expect([...(await drained)].toSorted()).toEqual(['a/1', 'b/2']);
    expect(rig.clock.pending).toBe(0);
  });

  it('does not begin to ask the exhausted hook', async () => {
    const { rig, taken } = exhausting({ maxHoldMs: 0 });
    await rig.push('1');
    const drained = rig.lanes.drain(1_000);
    await rig.call(0).throw('no');
    expect(await drained).toEqual(['1']);
    expect(taken).toEqual([]);
  });

  it('waits for the exhausted hook', async () => {
    let done: (() => void) | undefined;
    const rig = new Rig({
      maxHoldMs: 0,
      exhausted: () =>
        new Promise((resolve) => {
          done = resolve;
        }),
    });
    await rig.push('1');
    await rig.call(0).throw('no');
    const drained = rig.lanes.drain(1_000);
    done?.();
    expect(await drained).toEqual([]);
    expect(rig.settled).toEqual(['1']);
  });

  it('opens the gate for those who wait for room', async () => {
    const rig = new Rig({ maxInFlight: 1 });
    await rig.push('1');
    const room = rig.lanes.room();
    void rig.lanes.drain(0);
    await room;
    expect(rig.lanes.room()).toBeUndefined();
  });

  it('give what is condemned to the hook at its turn, without calling the handler', async () => {
    const { rig, taken } = exhausting();
    await rig.push('a/1');
    const reason = new Error('it kills');
    expect(rig.lanes.push(delivery({ id: '2', key: 'a' }), 'a/2', reason)).toBe(true);
    await rig.push('a/3', 'b/4');
    expect(rig.open).toEqual(['1:1', '4:1']);
    expect(taken).toHaveLength(0);
    await rig.call(0).end();
    await rig.clock.advance(0);
    expect(taken).toMatchObject([{ id: '2', reason }]);
    expect(rig.open).toEqual(['1:1', '4:1']);
    expect([...rig.lanes.held()]).toEqual([]);
    taken[0]?.reject(new Error('not now'));
    await rig.clock.advance(100);
    expect(taken).toHaveLength(2);
    taken[1]?.resolve();
    await rig.clock.settle();
    expect(rig.settled).toEqual(['a/1', 'a/2']);
    expect(rig.open).toEqual(['1:1', '4:1', '3:1']);
  });

  it('hold what is condemned untried where nobody takes it, while others flow', async () => {
    const limits: string[] = [];
    const rig = new Rig({ onLimit: ({ message }) => limits.push(message.id) });
    rig.lanes.push(delivery({ id: '1', key: 'a' }), 'a/1', new Error('it kills'));
    await rig.push('a/2', 'b/3');
    await rig.clock.advance(600_000);
    expect(rig.open).toEqual(['3:1']);
    expect(limits).toEqual(['1']);
    await rig.call(0).end();
    expect(await rig.lanes.drain(0)).toEqual(['a/1', 'a/2']);
  });

  it('tell what is held, with the starts so far', async () => {
    const rig = new Rig();
    await rig.push('a/1', 'a/2', 'b/3');
    await rig.call(0).throw(new Error('no'));
    const held = () => [...rig.lanes.held()].map(({ token, delivery: { attempt } }) => `${token}:${attempt}`);
    expect(held()).toEqual(['a/1:1']);
    await rig.clock.advance(100);
    await rig.call(2).throw(new Error('no'));
    expect(held()).toEqual(['a/1:2']);
  });

  it('start nothing while paused, and say when nothing runs', async () => {
    const { rig, taken } = exhausting({ maxHoldMs: 50 });
    await rig.push('a/1', 'b/2');
    rig.lanes.pause();
    let idle = false;
    void rig.lanes.idle().then(() => (idle = true));
    await rig.push('c/3');
    await rig.call(0).throw(new Error('no'));
    expect(idle).toBe(false);
    await rig.call(1).end();
    expect(idle).toBe(true);
    await rig.clock.advance(10_000);
    expect(rig.open).toEqual(['1:1', '2:1']);
    expect(taken).toHaveLength(0);
    rig.lanes.resume();
    await rig.clock.settle();
    expect(rig.open).toEqual(['1:1', '2:1', '1:2', '3:1']);
    await rig.call(2).throw(new Error('no'));
    expect(taken).toHaveLength(1);
  });
});
