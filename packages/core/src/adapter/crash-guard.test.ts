import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { delivery } from '../../test/deliveries.ts';
import { type BatchHandler, isBentoError } from '../index.ts';
import { type CrashGuard, createCrashGuard, formatGuarded, type GuardState, guarded, parseGuarded } from './index.ts';

const empty: GuardState = { starts: 0, suspectLeft: 0, entries: new Map() };

/** Sessions of one source; what is stored outlives them. */
class Sessions {
  stored: GuardState | undefined;
  stores = 0;
  guard: CrashGuard | undefined;

  begin(window = 10, maxCrashes = 3): CrashGuard {
    const guard = createCrashGuard({
      found: this.stored,
      window,
      maxCrashes,
      store: async () => {
        this.stores += 1;
        this.stored = guard.state();
      },
    });
    this.stored = guard.state();
    this.guard = guard;
    return guard;
  }

  /** Handles `position`; false: the process has died. */
  async handle(position: string, poison: boolean): Promise<'handled' | 'died' | 'condemned'> {
    const guard = this.guard as CrashGuard;
    const { attempt, condemned } = guard.take(position);
    if (condemned !== undefined) return 'condemned';
    if (!guard.suspect) {
      if (poison) return 'died';
      guard.settled(position);
      return 'handled';
    }
    let left: GuardState | undefined;
    await guard.alone(position, attempt, async () => {
      left = this.stored;
    });
    if (poison) {
      // Dead: what was stored by then is all that the next session finds.
      this.stored = left;
      return 'died';
    }
    guard.settled(position);
    return 'handled';
  }
}

describe('a crash guard', () => {
  it('is not suspicious after one death, and is after two in a row', () => {
    const sessions = new Sessions();
    expect(sessions.begin().suspect).toBe(false);
    expect(sessions.begin().suspect).toBe(false);
    expect(sessions.begin().suspect).toBe(true);
  });

  it('forgets deaths when a session ends cleanly', () => {
    const sessions = new Sessions();
    sessions.begin();
    const second = sessions.begin();
    second.end();
    sessions.stored = second.state();
    expect(sessions.begin().suspect).toBe(false);
    expect(sessions.begin().suspect).toBe(false);
    expect(sessions.begin().suspect).toBe(true);
  });

  it('forgets deaths when a session has handled as many as a dead one may have had in hand', () => {
    const sessions = new Sessions();
    sessions.begin();
    const second = sessions.begin(3);
    for (const position of ['1', '2', '3']) second.settled(position);
    expect(sessions.stored?.starts).toBe(1);
    expect(sessions.stores).toBe(1);
    expect(sessions.begin().suspect).toBe(false);
  });

  it('comes to rest after a window of messages that did not kill', async () => {
    const sessions = new Sessions();
    sessions.stored = { ...empty, starts: 2 };
    const guard = sessions.begin(2);
    expect(await sessions.handle('1', false)).toBe('handled');
    expect(guard.suspect).toBe(true);
    expect(await sessions.handle('2', false)).toBe('handled');
    expect(guard.suspect).toBe(false);
    expect(guard.state()).toEqual({ starts: 1, suspectLeft: 0, entries: new Map() });
  });

  it('stays suspicious across a clean end', () => {
    const sessions = new Sessions();
    sessions.stored = { ...empty, starts: 2 };
    const guard = sessions.begin();
    guard.end();
    sessions.stored = guard.state();
    expect(sessions.begin().suspect).toBe(true);
  });

  it('counts what was started and not ended as a crash, and condemns after maxCrashes of them', () => {
    const entries = new Map([['7', { attempt: 4, crashes: 1, open: true }]]);
    const sessions = new Sessions();
    sessions.stored = { starts: 1, suspectLeft: 5, entries };
    const guard = sessions.begin(10, 3);
    expect(guard.take('7')).toEqual({ attempt: 5, condemned: undefined });
    expect(guard.state().entries.get('7')).toEqual({ attempt: 4, crashes: 2, open: false });
    guard.merge('7', { attempt: 5, crashes: 2, open: true });
    const taken = guard.take('7');
    expect(taken.attempt).toBe(6);
    expect(isBentoError(taken.condemned, 'HANDLER')).toBe(true);
    guard.merge('7', undefined);
    expect(guard.take('7')).toEqual({ attempt: 1, condemned: undefined });
  });

  it('comes to rest once the killer is taken', () => {
    const entries = new Map([['7', { attempt: 5, crashes: 3, open: false }]]);
    const sessions = new Sessions();
    sessions.stored = { starts: 4, suspectLeft: 5, entries };
    const guard = sessions.begin();
    expect(guard.suspect).toBe(true);
    expect(guard.take('7').condemned).toBeDefined();
    guard.settled('7');
    expect(guard.suspect).toBe(false);
    expect(sessions.stored).toEqual({ starts: 1, suspectLeft: 0, entries: new Map() });
  });

  it('goes on counting attempts of what failed', () => {
    const sessions = new Sessions();
    const first = sessions.begin();
    sessions.stored = first.state([['5', 4]]);
    const second = sessions.begin();
    expect(second.take('5').attempt).toBe(5);
    expect(second.take('6').attempt).toBe(1);
    second.settled('5');
    expect(second.state().entries.size).toBe(0);
  });

  it('condemns a poison message after at most maxCrashes + 2 deaths, wherever it stands, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 19 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 20, max: 40 }),
        async (poison, maxCrashes, window) => {
          const sessions = new Sessions();
          const done = new Set<number>();
          let deaths = 0;
          let condemned: number | undefined;
          for (let alive = false; !alive; ) {
            sessions.begin(window, maxCrashes);
            alive = true;
            for (let at = 0; at < 20 && alive; at += 1) {
              if (done.has(at)) continue;
              const outcome = await sessions.handle(`${at}`, at === poison);
              if (outcome === 'died') {
                deaths += 1;
                alive = false;
              } else {
                if (outcome === 'condemned') condemned = at;
                done.add(at);
              }
            }
            if (deaths > 10) throw new Error('it dies for ever');
          }
          expect(condemned).toBe(poison);
          expect(deaths).toBe(maxCrashes + 2);
        },
      ),
    );
  });
});

const rig = (suspect: boolean) => {
  const log: string[] = [];
  const guard = createCrashGuard({
    found: suspect ? { ...empty, starts: 2 } : undefined,
    window: 100,
    maxCrashes: 3,
    store: async (position) => {
      await Promise.resolve();
      log.push(`store ${position}`);
    },
  });
  const handler: BatchHandler = async (batch) => {
    log.push(`begin ${batch.map(({ position }) => position).join()}`);
    await new Promise(setImmediate);
    log.push('end');
    return batch.map(({ message }) =>
      message.type === 'bad' ? { ok: false as const, error: new Error('bad') } : { ok: true as const },
    );
  };
  return { log, handle: guarded(handler, () => guard), guard };
};

describe('a guarded handler', () => {
  const one = delivery({ id: '1', key: 'a', type: 'bad' });
  const two = delivery({ id: '2', key: 'a' });
  const three = delivery({ id: '3', key: 'b' });
  const { signal } = new AbortController();

  it('hands batches on as they are while nothing is suspect', async () => {
    const { log, handle } = rig(false);
    await handle([one, two, three], signal);
    expect(log).toEqual(['begin 1,2,3', 'end']);
  });

  it('handles one at a time in a suspect source, stored as started before, also across calls', async () => {
    const { log, handle } = rig(true);
    await Promise.all([handle([two], signal), handle([three], signal)]);
    expect(log).toEqual(['store 2', 'begin 2', 'end', 'store 3', 'begin 3', 'end']);
  });

  it('does not give later messages of a failed one’s key their turn', async () => {
    const { log, handle } = rig(true);
    const outcomes = await handle([one, two, three], signal);
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, false, true]);
    expect(outcomes[1]).toMatchObject({ error: { code: 'ABORTED' } });
    expect(log).not.toContain('begin 2');
  });

  it('does not start what could not be stored as started', async () => {
    const guard = createCrashGuard({
      found: { ...empty, starts: 2 },
      window: 100,
      maxCrashes: 3,
      store: () => Promise.reject(new Error('no store')),
    });
    let started = false;
    const handle = guarded(
      async () => {
        started = true;
        return [{ ok: true }];
      },
      () => guard,
    );
    expect(await handle([two], signal)).toMatchObject([{ ok: false, error: { message: 'no store' } }]);
    expect(started).toBe(false);
  });
});

describe('guarded progress as text', () => {
  const progress = fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 20 }).map((steps) => {
    let at = 100n;
    const done = steps.map((step): readonly [bigint, bigint] => {
      const first = at + BigInt(step);
      at = first + 1n;
      return [first, first];
    });
    return { low: 100n, done };
  });
  const state = fc.record({
    starts: fc.nat({ max: 100 }),
    suspectLeft: fc.nat({ max: 5_000 }),
    entries: fc
      .array(
        fc.tuple(
          fc.integer({ min: 101, max: 100_000 }).map(String),
          fc.record({ attempt: fc.nat({ max: 99 }), crashes: fc.nat({ max: 5 }), open: fc.boolean() }),
        ),
        { maxLength: 50 },
      )
      .map((entries) => new Map(entries)),
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(progress, state, (given, guard) => {
        const text = formatGuarded(given, guard, 100_000);
        const read = parseGuarded(text);
        expect(read.progress).toEqual(given);
        expect(read.state.starts).toBe(guard.starts);
        expect(read.state.suspectLeft).toBe(guard.suspectLeft);
        expect(Object.fromEntries(read.state.entries)).toEqual(Object.fromEntries(guard.entries));
      }),
    );
  });

  it('keeps to its limit and gives up the attempts of the highest positions first, those of killers last', () => {
    const entries = new Map(
      Array.from({ length: 1_000 }, (_, index) => [`${index + 1}`, { attempt: 2, crashes: 0, open: false }]),
    );
    entries.set('5000', { attempt: 3, crashes: 2, open: true });
    const text = formatGuarded({ low: 0n, done: [] }, { starts: 1, suspectLeft: 0, entries }, 1_000);
    expect(text.length).toBeLessThanOrEqual(1_000);
    const read = parseGuarded(text).state.entries;
    expect(read.get('5000')).toEqual({ attempt: 3, crashes: 2, open: true });
    expect(read.has('1')).toBe(true);
    expect(read.has('1000')).toBe(false);
    expect(read.size).toBeGreaterThan(150);
  });

  it('refuses what it did not write with a CodecError', () => {
    for (const text of ['', 'metadata', '1|', '2|5|1.0|', '1|5|1.0|x y', '1|5|1.0|1', '1|5|1.0|1.1,', '1|5;0|1.0|'])
      expect(() => parseGuarded(text)).toThrow(expect.objectContaining({ code: 'CODEC' }));
  });
});
