import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { delivery } from '../../test/deliveries.ts';
import { VirtualClock } from '../../test/virtual-clock.ts';
import type { Delivery, Outcome } from '../index.ts';
import { createLanes, type Lanes } from './index.ts';

/** One run: what is pushed, how the handler behaves, and where the run is cut off. */
const scenario = fc.record({
  seed: fc.integer(),
  keys: fc.integer({ min: 1, max: 5 }),
  messages: fc.integer({ min: 1, max: 60 }),
  size: fc.constantFrom(1, 1, 2, 5),
  waitMs: fc.constantFrom(0, 20),
  concurrency: fc.integer({ min: 1, max: 4 }),
  ordering: fc.constantFrom('key' as const, 'none' as const),
  maxHoldMs: fc.constantFrom(0, 50, 500),
  maxLaneBacklog: fc.constantFrom(0, 1, 3, 100),
  maxInFlight: fc.constantFrom(1, 5, 20),
  failures: fc.constantFrom(0, 0.2, 0.6),
  wholeBatchFailures: fc.constantFrom(0, 0.2),
  hook: fc.boolean(),
  hookFailures: fc.constantFrom(0, 0.5),
  settleLater: fc.boolean(),
  /** Discards one key, or drains, after so many steps. */
  discardAt: fc.option(fc.integer({ min: 0, max: 60 }), { nil: -1 }),
  drainAt: fc.option(fc.integer({ min: 0, max: 100 }), { nil: -1 }),
  drainMs: fc.constantFrom(0, 15, 10_000),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

/** A small generator of its own, so that a run depends on its seed alone (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Run {
  readonly clock = new VirtualClock();
  readonly random: () => number;
  readonly lanes: Lanes<string>;
  readonly given: Scenario;
  readonly pushed: string[] = [];
  /** In the order of the calls, and in the order in which they ended. */
  readonly acknowledged: string[] = [];
  readonly settled: string[] = [];
  readonly discarded: string[] = [];
  readonly broken: string[] = [];
  readonly keys = new Map<string, string>();
  readonly discardable = new Set<string>();
  readonly failedFirstAt = new Map<string, number>();
  private readonly attempts = new Map<string, number>();
  private readonly busy = new Set<string>();
  private running = 0;
  private ended = false;

  constructor(given: Scenario) {
    this.given = given;
    this.random = randomOf(given.seed);
    this.lanes = createLanes<string>({
      ...given,
      handler: (batch) => this.handle(batch),
      settle: (token) => this.settle(token),
      onFault: (error) => this.broken.push(`fault ${String(error)}`),
      ...(given.hook && { exhausted: (one) => this.take(one) }),
      clock: this.clock,
      backoff: (failures) => 1 + this.random() * Math.min(200, 10 * 2 ** failures),
    });
  }

  private check(fine: boolean, what: string): void {
    if (!fine) this.broken.push(what);
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.schedule(resolve, ms));
  }

  private async handle(batch: readonly Delivery[]): Promise<readonly Outcome[]> {
    this.running += 1;
    this.check(this.running <= this.given.concurrency && this.lanes.running <= this.given.concurrency, 'concurrency');
    this.check(batch.length > 0 && batch.length <= this.given.size, `batch of ${batch.length}`);
    const keys = new Set(batch.map(laneOf(this.given)));
    for (const key of keys) this.check(!this.busy.has(key), `key ${key} twice at once`);
    for (const key of keys) this.busy.add(key);
    for (const { message, attempt } of batch) {
      const failed = this.attempts.get(message.id) ?? 0;
      this.check(attempt === failed + 1, `${message.id}: attempt ${attempt} after ${failed} failures`);
      this.check(attempt === 1 || batch.length === 1, `${message.id} is tried again together with others`);
      this.check(!this.settled.includes(message.id), `${message.id} handled after it was settled`);
    }
    await this.wait(this.random() * 30);
    this.running -= 1;
    for (const key of keys) this.busy.delete(key);
    const whole = this.random() < this.given.wholeBatchFailures;
    const outcomes = batch.map(
      (): Outcome => (whole || this.random() < this.given.failures ? { ok: false, error: 'no' } : { ok: true }),
    );
    const failedKeys = new Set<string>();
    for (const [index, one] of batch.entries()) {
      const key = laneOf(this.given)(one);
      if (outcomes[index]?.ok !== false || failedKeys.has(key)) continue;
      failedKeys.add(key);
      this.attempts.set(one.message.id, one.attempt);
      if (!this.failedFirstAt.has(one.message.id)) this.failedFirstAt.set(one.message.id, this.clock.now());
    }
    if (whole) throw new Error('the whole batch');
    return outcomes;
  }

  private settle(token: string): void | Promise<void> {
    this.check(!this.ended, `${token} settled after the drain`);
    this.acknowledged.push(token);
    if (!this.given.settleLater) {
      this.settled.push(token);
      return undefined;
    }
    return this.wait(this.random() * 10).then(() => void this.settled.push(token));
  }

  private async take({ message }: Delivery): Promise<void> {
    const held = this.clock.now() - (this.failedFirstAt.get(message.id) ?? Number.NaN);
    const { backlog } = this.lanes.stateOf(delivery({ ...message }));
    this.check(
      held >= this.given.maxHoldMs || backlog > this.given.maxLaneBacklog,
      `${message.id} taken after ${held} ms`,
    );
    await this.wait(5);
    if (this.random() < this.given.hookFailures) throw new Error('not stored');
  }

  /** Pushes while there is room, until all are pushed or the lanes take no more. */
  private async produce(): Promise<void> {
    for (let index = 0; index < this.given.messages; index += 1) {
      const id = `m${index}`;
      const keyless = this.random() < 0.2;
      const one = delivery(keyless ? { id } : { id, key: `k${Math.floor(this.random() * this.given.keys)}` });
      for (let room = this.lanes.room(one); room !== undefined; room = this.lanes.room(one)) await room;
      if (!this.lanes.push(one, id)) return;
      this.keys.set(id, laneOf(this.given)(one));
      if (one.message.key === 'k0') this.discardable.add(id);
      this.pushed.push(id);
      this.check(this.lanes.inFlight <= this.given.maxInFlight, 'in flight');
      if (this.random() < 0.3) await this.wait(this.random() * 20);
    }
  }

  async play(): Promise<readonly string[]> {
    const { discardAt, drainAt, drainMs } = this.given;
    const producing = this.produce();
    let left: Promise<readonly string[]> | undefined;
    for (let step = 0; step < 20_000; step += 1) {
      if (step === discardAt) this.discarded.push(...this.lanes.discard(({ message }) => message.key === 'k0'));
      if (step === drainAt) {
        left = this.lanes.drain(drainMs).then((tokens) => {
          this.ended = true;
          // An acknowledgement that is under way when time is up may still arrive.
          for (const id of tokens) this.check(!this.settled.includes(id), `${id} is settled and given back`);
          return tokens;
        });
      }
      if (!(await this.clock.next())) break;
    }
    await producing;
    left ??= this.lanes.drain(0);
    return left;
  }
}

const laneOf =
  ({ ordering }: Scenario) =>
  ({ message }: Delivery): string =>
    ordering === 'key' ? (message.key ?? message.id) : message.id;

/** What belongs to each key, in the order of `names`. */
function perKey(names: readonly string[], keys: ReadonlyMap<string, string>): Record<string, string[]> {
  const groups: Record<string, string[]> = {};
  for (const name of names) (groups[keys.get(name) ?? ''] ??= []).push(name);
  return groups;
}

describe('lanes, whatever happens', () => {
  it('keep order per key, lose nothing, run no key twice at once, and stay within their bounds', async () => {
    const endings = { drained: 0, cutOff: 0, discarded: 0 };
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const run = new Run(given);
        const left = await run.play();
        expect(run.broken).toEqual([]);
        expect(new Set(run.settled).size).toBe(run.settled.length);
        const accounted = new Set([...left, ...run.discarded, ...run.settled]);
        // What ran while its key was discarded, and failed, is neither settled nor given back.
        const dropped = run.pushed.filter((id) => !accounted.has(id));
        expect(dropped.filter((id) => given.discardAt === -1 || !run.discardable.has(id))).toEqual([]);
        const acknowledged = new Set(run.acknowledged);
        const inOrder = run.pushed.filter((id) => acknowledged.has(id));
        expect(perKey(run.acknowledged, run.keys)).toEqual(perKey(inOrder, run.keys));
        const whole = given.drainAt === -1;
        expect(whole && { left, pushed: run.pushed.length, inFlight: run.lanes.inFlight }).toEqual(
          whole && { left: [], pushed: given.messages, inFlight: 0 },
        );
        expect(run.clock.pending).toBe(0);
        endings.discarded += run.discarded.length > 0 ? 1 : 0;
        endings[left.length > 0 ? 'cutOff' : 'drained'] += 1;
      }),
      { seed: 20_261_121, numRuns: 400 },
    );
    // The runs did reach what they are about.
    expect(Math.min(...Object.values(endings))).toBeGreaterThan(20);
  });
});
