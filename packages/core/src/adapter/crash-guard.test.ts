import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { delivery } from '../../test/deliveries.ts';
import { VirtualClock } from '../../test/virtual-clock.ts';
import { type BatchHandler, isBentoError } from '../index.ts';
import {
  type CrashGuard,
  company,
  createCrashGuard,
  formatGuarded,
  type GuardState,
  guarded,
  parseGuarded,
} from './index.ts';
import { Turns } from './turns.ts';

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

  /** One session over the positions 0 to 19: `size` at work at a time; which it handled, and whether it died of the poison. */
  async live(
    poison: number,
    size: number,
    done: Set<number>,
  ): Promise<{ readonly died: boolean; readonly condemned: number[] }> {
    const guard = this.guard as CrashGuard;
    const condemned: number[] = [];
    const todo: { readonly position: string; readonly attempt: number }[] = [];
    for (let at = 0; at < 20; at += 1) {
      if (done.has(at)) continue;
      const taken = guard.take(`${at}`);
      if (taken.condemned === undefined) todo.push({ position: `${at}`, attempt: taken.attempt });
      else condemned.push(at);
    }
    while (todo.length > 0) {
      const level = guard.level(todo[0]?.position ?? '');
      const most = level === 0 ? size : level === company.any ? Math.min(size, 4) : 1;
      let count = 1;
      while (count < most && todo[count] !== undefined && guard.level(todo[count]?.position ?? '') === level)
        count += 1;
      const started = todo.splice(0, count);
      const alone = count === 1 ? company.none : company.few;
      if (guard.recording) await guard.begin(started, level === 0 ? company.any : alone);
      if (started.some(({ position }) => position === `${poison}`)) return { died: true, condemned };
      guard.ended(started.map(({ position }) => position));
      for (const { position } of started) {
        guard.settled(position);
        done.add(Number(position));
      }
      this.stored = guard.state();
    }
    for (const at of condemned) guard.settled(`${at}`);
    return { died: false, condemned };
  }
}

describe('a crash guard', () => {
  it('records nothing in a first session, and records after a death', () => {
    const sessions = new Sessions();
    expect(sessions.begin().recording).toBe(false);
    expect(sessions.begin().recording).toBe(true);
  });

  it('forgets deaths when a session ends cleanly', () => {
    const sessions = new Sessions();
    const first = sessions.begin();
    first.end();
    sessions.stored = first.state();
    expect(sessions.begin().recording).toBe(false);
  });

  it('is at rest when a session has handled as many as a dead one may have had in hand', () => {
    const sessions = new Sessions();
    sessions.begin();
    const second = sessions.begin(3);
    for (const position of ['1', '2', '3']) second.settled(position);
    expect(second.recording).toBe(false);
    expect(sessions.stored).toEqual({ starts: 1, suspectLeft: 0, entries: new Map() });
    expect(sessions.stores).toBe(1);
  });

  it('goes on recording after a clean end before that', () => {
    const sessions = new Sessions();
    sessions.begin();
    const second = sessions.begin();
    second.end();
    sessions.stored = second.state();
    expect(sessions.begin().recording).toBe(true);
  });

  it('suspects what was at work at a death, and counts deaths in little company as crashes', () => {
    const entry = { attempt: 4, crashes: 0, level: 0, open: 0 };
    const entries = new Map([
      ['1', { ...entry, open: company.any }],
      ['2', { ...entry, level: company.any, open: company.few }],
      ['3', { ...entry, crashes: 1, level: company.few, open: company.none }],
      ['4', entry],
    ]);
    const sessions = new Sessions();
    sessions.stored = { starts: 1, suspectLeft: 5, entries };
    const guard = sessions.begin();
    for (const position of ['1', '2', '3', '4'])
      expect(guard.take(position)).toEqual({ attempt: 5, condemned: undefined });
    expect(Object.fromEntries(guard.state().entries)).toEqual({
      1: { ...entry, level: company.any },
      2: { ...entry, crashes: 1, level: company.few },
      3: { ...entry, crashes: 2, level: company.none },
      4: entry,
    });
  });

  it('condemns only what died alone', () => {
    const entry = { attempt: 4, crashes: 3, level: company.few, open: 0 };
    const sessions = new Sessions();
    sessions.stored = { starts: 1, suspectLeft: 5, entries: new Map([['1', entry]]) };
    const guard = sessions.begin(10, 3);
    expect(guard.take('1').condemned).toBeUndefined();
    guard.merge('1', { ...entry, open: company.none });
    expect(isBentoError(guard.take('1').condemned, 'HANDLER')).toBe(true);
    guard.merge('1', undefined);
    expect(guard.take('1')).toEqual({ attempt: 1, condemned: undefined });
  });

  it('comes to rest once the killer is taken', () => {
    const entries = new Map([['7', { attempt: 5, crashes: 3, level: company.none, open: 0 }]]);
    const sessions = new Sessions();
    sessions.stored = { starts: 4, suspectLeft: 5, entries };
    const guard = sessions.begin();
    expect(guard.recording).toBe(true);
    expect(guard.take('7').condemned).toBeDefined();
    guard.settled('7');
    expect(guard.recording).toBe(false);
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
        fc.integer({ min: 1, max: 20 }),
        async (poison, maxCrashes, window, size) => {
          const sessions = new Sessions();
          const done = new Set<number>();
          let deaths = 0;
          for (;;) {
            sessions.begin(window, maxCrashes);
            const { died, condemned } = await sessions.live(poison, size, done);
            expect(condemned.every((at) => at === poison)).toBe(true);
            if (!died) break;
            deaths += 1;
            if (deaths > 10) throw new Error('it dies for ever');
          }
          expect(done.size).toBe(19);
          expect(deaths).toBeLessThanOrEqual(size === 1 ? maxCrashes + 2 : Math.max(maxCrashes + 2, 4));
        },
      ),
    );
  });
});

const handling = (levels: Record<string, number>) => {
  const log: string[] = [];
  const entries = new Map(
    Object.entries(levels).map(([position, level]) => [position, { attempt: 1, crashes: 0, level, open: 0 }]),
  );
  const guard = createCrashGuard({
    found: Object.keys(levels).length > 0 ? { starts: 1, suspectLeft: 0, entries } : undefined,
    window: 100,
    maxCrashes: 3,
    store: async (positions) => {
      await Promise.resolve();
      log.push(
        `store ${positions.map((position) => `${position}:${guard.state().entries.get(position)?.open}`).join()}`,
      );
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
  const four = delivery({ id: '4', key: 'c' });
  const { signal } = new AbortController();

  it('hands batches on as they are while nothing is recorded', async () => {
    const { log, handle } = handling({});
    await handle([one, two, three], signal);
    expect(log).toEqual(['begin 1,2,3', 'end']);
  });

  it('stores what it starts before it does where a source records', async () => {
    const { log, handle } = handling({ x: 1 });
    await Promise.all([handle([two, three], signal), handle([four], signal)]);
    expect(log).toEqual(['store 2:1,3:1', 'store 4:1', 'begin 2,3', 'begin 4', 'end', 'end']);
  });

  it('starts suspects when nothing else runs, of a batch a few at first, then alone', async () => {
    const { log, handle } = handling({ 2: company.any, 3: company.any });
    const other = handling({ x: 1 });
    await Promise.all([other.handle([four], signal), handle([two, three], signal), handle([four], signal)]);
    expect(other.log).toEqual(['store 4:1', 'begin 4', 'end']);
    expect(log).toEqual(['store 2:2,3:2', 'begin 2,3', 'end', 'store 2:0,3:0', 'store 4:1', 'begin 4', 'end']);
    const narrowed = handling({ 2: company.few, 3: company.few });
    await narrowed.handle([two, three], signal);
    expect(narrowed.log).toEqual([
      'store 2:3',
      'begin 2',
      'end',
      'store 2:0',
      'store 3:3',
      'begin 3',
      'end',
      'store 3:0',
    ]);
  });

  it('stores that a suspect has ended before one of another source has its turn', async () => {
    const [first, second] = [handling({ 2: company.few }), handling({ 4: company.few })];
    const all: string[] = [];
    for (const { log } of [first, second]) log.push = (line) => all.push(line);
    await Promise.all([first.handle([two], signal), second.handle([four], signal)]);
    const lines = ['store 2:3', 'begin 2', 'end', 'store 2:0'];
    expect(all).toEqual([...lines, ...lines.map((line) => line.replace('2', '4'))]);
  });

  it('does not give later messages of a failed one’s key their turn', async () => {
    const { log, handle } = handling({ 1: company.few, 2: company.few, 3: company.few });
    const outcomes = await handle([one, two, three], signal);
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, false, true]);
    expect(outcomes[1]).toMatchObject({ error: { code: 'ABORTED' } });
    expect(log).not.toContain('begin 2');
  });

  it('does not start what could not be stored as started', async () => {
    const guard = createCrashGuard({
      found: { starts: 2, suspectLeft: 0, entries: new Map() },
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

describe('turns', () => {
  it('come to an end where handlers wait for each other', async () => {
    const clock = new VirtualClock();
    const turns = new Turns(clock);
    const seen: string[] = [];
    const inner = (): Promise<void> =>
      turns.run(false, async (inTurn) => {
        seen.push(`inner ${inTurn}`);
      });
    const outer = turns.run(true, async (inTurn) => {
      seen.push(`outer ${inTurn}`);
      await inner();
    });
    await clock.advance(4_999);
    expect(seen).toEqual(['outer true']);
    await clock.advance(1);
    await outer;
    expect(seen).toEqual(['outer true', 'inner false']);
    await turns.run(true, async (inTurn) => void seen.push(`next ${inTurn}`));
    expect(seen.at(-1)).toBe('next true');
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
          fc.oneof(fc.integer({ min: 101, max: 120 }), fc.integer({ min: 101, max: 100_000 })).map(String),
          fc.record({
            attempt: fc.nat({ max: 3 }),
            crashes: fc.nat({ max: 2 }),
            level: fc.nat({ max: 3 }),
            open: fc.nat({ max: 3 }),
          }),
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
      Array.from({ length: 1_000 }, (_, index) => [
        `${index + 1}`,
        { attempt: 2 + (index % 2), crashes: 0, level: 0, open: 0 },
      ]),
    );
    entries.set('5000', { attempt: 3, crashes: 2, level: 3, open: 3 });
    const text = formatGuarded({ low: 0n, done: [] }, { starts: 1, suspectLeft: 0, entries }, 1_000);
    expect(text.length).toBeLessThanOrEqual(1_000);
    const read = parseGuarded(text).state.entries;
    expect(read.get('5000')).toEqual({ attempt: 3, crashes: 2, level: 3, open: 3 });
    expect(read.has('1')).toBe(true);
    expect(read.has('1000')).toBe(false);
    expect(read.size).toBeGreaterThan(150);
  });

  it('takes little room for neighbours of which the same is known', () => {
    const entries = new Map(
      Array.from({ length: 4_000 }, (_, index) => [`${index + 1}`, { attempt: 1, crashes: 0, level: 0, open: 1 }]),
    );
    const text = formatGuarded({ low: 0n, done: [] }, { starts: 1, suspectLeft: 0, entries }, 1_000);
    expect(text).toBe('1|0|1.0|1.1.0.0.1*333');
    expect(parseGuarded(text).state.entries.size).toBe(4_000);
  });

  it('refuses what it did not write with a CodecError', () => {
    for (const text of ['', 'metadata', '1|', '2|5|1.0|', '1|5|1.0|x y', '1|5|1.0|1', '1|5|1.0|1.1,', '1|5;0|1.0|'])
      expect(() => parseGuarded(text)).toThrow(expect.objectContaining({ code: 'CODEC' }));
  });
});
