import assert from 'node:assert/strict';
import type { Message } from '@bento-bus/core';
import { itemsOf, type Load, type MemberSpec, type Spec } from '../child/spec.ts';
import { uniqueName } from '../names.ts';
import { assertFirstInOrder } from './calls.ts';
import { scenario, type TransportContext, type TransportScenario } from './context.ts';
import { killsOf, lives, type Process, Processes } from './processes.ts';

/**
 * Processes that come one after the other, and the messages that they handle: published here, or, where each process is a backend of its
 * own, by each of them as the same log.
 */
class Lives {
  readonly processes: Processes;
  readonly messages: readonly Message[];
  readonly #c: TransportContext;
  readonly #load: Load;
  readonly #members: readonly MemberSpec[];
  #published: Promise<void> | undefined;

  private constructor(c: TransportContext, processes: Processes, load: Load, members: readonly MemberSpec[]) {
    this.#c = c;
    this.processes = processes;
    this.#load = load;
    this.#members = members;
    this.messages = itemsOf(load).map(({ message }) => message);
  }

  static async create(
    c: TransportContext,
    load: Pick<Load, 'count' | 'keys'>,
    { groups = [c.group()], ...options }: Omit<MemberSpec, 'group' | 'topics'> & { readonly groups?: string[] },
  ): Promise<Lives> {
    const topics = [await c.topic(), await c.topic()];
    const members = groups.map((group) => ({ group, topics, drainMs: 600_000, ...options }));
    return new Lives(c, await Processes.open(c), { name: uniqueName('load'), topics, ...load }, members);
  }

  get groups(): readonly string[] {
    return this.#members.map(({ group }) => group);
  }

  /** The next process. */
  async next(work: Spec['work']): Promise<Process> {
    if (this.#c.harness.clients === 'one') return this.processes.start(this.#members, work, this.#load);
    const process = await this.processes.start(this.#members, work);
    // Once the groups are there: a backend may keep nothing for groups to come.
    await (this.#published ??= this.#publish());
    return process;
  }

  /** All groups have handled all messages, or all of these. */
  isDone(messages: readonly Message[] = this.messages): boolean {
    return this.groups.every((group) => {
      const handled = this.processes.ledger.handled(group);
      return handled.size >= messages.length && messages.every(({ id }) => handled.has(id));
    });
  }

  /** A last process that nothing befalls handles the rest. */
  async finish(work: Spec['work'] = {}): Promise<void> {
    const last = await this.next(work);
    await this.processes.eventually('handling all messages', () => this.isDone());
    await last.end();
    for (const { group, concurrency = 1 } of this.#members) {
      const calls = this.processes.ledger.read().calls(group);
      this.processes.ledger.assertRepeats(group, concurrency, this.#c.harness.duplicatesMs ?? 0);
      if (this.#c.harness.capabilities.ordering === 'key') assertFirstInOrder(calls, this.messages);
    }
  }

  async #publish(): Promise<void> {
    for (const topic of this.#load.topics) {
      const own = itemsOf(this.#load).filter((item) => item.topic === topic);
      for (let from = 0; from < own.length; from += 100)
        await this.#c.transport.publish(
          topic,
          own.slice(from, from + 100).map(({ message }) => message),
        );
    }
  }
}

const concurrency = 16;
const maxCrashes = 2;
const perLife = 60;

export const crashScenarios: readonly TransportScenario[] = [
  scenario(
    'loses nothing when its process is killed at any moment, and repeats only what was in flight',
    ['crash'],
    async (c) => {
      const kills = killsOf(c.harness);
      const groups = [c.group(), c.group()];
      const life = await Lives.create(c, { count: (kills + 1) * perLife, keys: 37 }, { groups, concurrency });
      const { ledger } = life.processes;
      for (let kill = 0; kill < kills; kill += 1) {
        const process = await life.next({ upToMs: 4 });
        // First when more is done than may be repeated, then at any moment.
        const some = Math.floor(c.random() * perLife) + (kill === 0 ? groups.length * 2 * concurrency : 1);
        await life.processes.eventually(
          'handling some messages',
          () => ledger.all('end', process.name).length >= some || life.isDone(),
        );
        await process.kill();
      }
      await life.finish();
    },
    lives((harness) => killsOf(harness) + 1),
  ),

  scenario(
    'delivers again what was handled and not acknowledged when its process died',
    ['crash'],
    async (c) => {
      const life = await Lives.create(c, { count: 20, keys: 4 }, { concurrency: 2 });
      const fatal = life.messages[7]?.id as string;
      // Long enough for an acknowledgement to be stored, if there were one.
      const lingersMs = c.quietMs + (c.harness.duplicatesMs ?? 0);
      const first = await life.next({ killsAfter: [fatal], lingersMs });
      await first.ended();
      await life.finish();
      const ends = life.processes.ledger.all('end').filter(({ id }) => id === fatal);
      assert.deepEqual(
        ends.map(({ by }) => by),
        ['p1', 'p2'],
        'it was handled, and again by the next process',
      );
    },
    lives(() => 2),
  ),

  scenario(
    'counts on the attempts of a failing message when its process is killed',
    ['crash'],
    async (c) => {
      const life = await Lives.create(c, { count: 12, keys: 4 }, { concurrency: 2, maxHoldMs: 600_000 });
      const fails = [life.messages[5]?.id as string];
      const { ledger } = life.processes;
      // What is this old must be stored.
      const stored = (): number => {
        const before = Date.now() - (c.harness.attemptsMs ?? 1_000);
        return Math.max(0, ...ledger.all('failed').flatMap(({ at, attempt = 0 }) => (at < before ? [attempt] : [])));
      };
      const first = await life.next({ fails });
      await life.processes.eventually('3 attempts', () => stored() >= 3);
      const least = stored() + 1;
      await first.kill();
      const starts = ledger.read().all('start', first.name);
      const most = Math.max(...starts.filter(({ id }) => id === fails[0]).map(({ attempt = 0 }) => attempt)) + 1;
      const second = await life.next({ fails });
      const again = (): readonly number[] =>
        ledger.all('start', second.name).flatMap(({ id, attempt = 0 }) => (id === fails[0] ? [attempt] : []));
      await life.processes.eventually('2 attempts more', () => again().length >= 2);
      const [attempt = 0, next] = again();
      assert.ok(
        attempt >= least && attempt <= most,
        `attempt ${attempt} after ${most - 1}, of which ${least - 1} are old`,
      );
      assert.equal(next, attempt + 1);
      await second.end();
      await life.finish();
    },
    lives(() => 3),
  ),

  scenario(
    'gives a message that kills its process to the hook, and handles all others',
    ['crash'],
    async (c) => {
      const life = await Lives.create(c, { count: 20, keys: 5 }, { concurrency: 4, maxCrashes });
      const [group] = life.groups as [string];
      const { ledger } = life.processes;
      const poison = life.messages[3]?.id as string;
      const others = life.messages.filter(({ id }) => id !== poison);
      const isTaken = (): boolean => ledger.all('exhausted').length > 0;
      for (let deaths = 0; ; deaths += 1) {
        assert.ok(deaths <= maxCrashes + 2, `it has killed ${deaths} processes, with maxCrashes ${maxCrashes}`);
        const process = await life.next({ kills: [poison] });
        await life.processes.eventually(
          'a death, or the end of the others',
          () => process.isKilled || (isTaken() && life.isDone(others)),
        );
        if (!process.isKilled) {
          await process.end();
          break;
        }
        await process.ended();
      }
      const taken = ledger.read().all('exhausted');
      assert.deepEqual(
        taken.map(({ id }) => id),
        [poison],
        'given to the hook',
      );
      assert.match(taken[0]?.text ?? '', /died/, 'the hook gets the reason');
      const calls = ledger.calls(group);
      const attempts = calls.filter(({ id }) => id === poison).map(({ attempt }) => attempt);
      const alone = attempts.slice(-maxCrashes);
      assert.deepEqual(
        alone,
        alone.map((_, index) => (alone[0] ?? 0) + index),
        'where one message at a time is handled, each start of it counts',
      );
      if (c.harness.capabilities.ordering === 'key') assertFirstInOrder(calls, others);
    },
    lives(() => maxCrashes + 3),
  ),
];
