import assert from 'node:assert/strict';
import { canPublishCheckpointed } from '@bento-bus/core';
import { itemsOf, type MemberSpec, placeOf, type Work } from '../child/spec.ts';
import { assertFirstInOrder, assertOneAtATime } from './calls.ts';
import { scenario, type TransportContext, type TransportScenario } from './context.ts';
import { killsOf, lives, type Process, Processes } from './processes.ts';
import { Recorder } from './recorder.ts';
import { Traffic } from './traffic.ts';

const concurrency = 4;

/** Processes of one group, under load. */
class ProcessGroup {
  readonly processes: Processes;
  readonly member: MemberSpec;
  readonly traffic: Traffic;

  private constructor(c: TransportContext, processes: Processes, member: MemberSpec) {
    this.processes = processes;
    this.member = member;
    const [topic] = member.topics as [string];
    this.traffic = new Traffic(c, topic, () => processes.ledger.read().handled(member.group).size);
  }

  /** With so many processes; the traffic begins when all are there. */
  static async start(
    c: TransportContext,
    count: number,
    work: Work,
  ): Promise<{ readonly group: ProcessGroup; readonly members: Process[] }> {
    const processes = await Processes.open(c);
    const member = { group: c.group(), topics: [await c.topic()], concurrency, drainMs: 600_000 };
    const members = await Promise.all(Array.from({ length: count }, () => processes.start([member], work)));
    return { group: new ProcessGroup(c, processes, member), members };
  }

  /** Each of them has handled something since. */
  async atWork(processes: readonly Process[]): Promise<void> {
    const { ledger } = this.processes;
    const counts = new Map(processes.map(({ name }) => [name, ledger.read().all('end', name).length]));
    await this.processes.eventually('each process at work', () =>
      processes.every(({ name }) => ledger.all('end', name).length > (counts.get(name) ?? 0)),
    );
  }

  /** Everything that was confirmed is handled, in order; only what was killed has work done again. */
  async finish(c: TransportContext): Promise<void> {
    const { ledger } = this.processes;
    const { group } = this.member;
    const messages = await this.traffic.end();
    await this.processes.eventually('handling all messages', () => {
      const handled = ledger.handled(group);
      return messages.every(({ id }) => handled.has(id));
    });
    const calls = ledger.calls(group);
    assertOneAtATime(calls, messages);
    assertFirstInOrder(calls, messages);
    ledger.assertRepeats(group, concurrency, c.harness.duplicatesMs ?? 0);
  }
}

export const processGroupScenarios: readonly TransportScenario[] = [
  scenario(
    'shares the keys among the processes of a group, one owner a key at a time',
    ['processes', 'ordering'],
    async (c) => {
      const { group, members } = await ProcessGroup.start(c, 3, { upToMs: 10 });
      await group.atWork(members);
      await group.finish(c);
      for (const process of members) await process.end();
    },
    lives(() => 3),
  ),

  scenario(
    'handles nothing twice when processes are told to end under load',
    ['processes', 'ordering'],
    async (c) => {
      const { group, members } = await ProcessGroup.start(c, 3, { upToMs: 10, closesBusy: true });
      await group.atWork(members);
      for (let left = members.shift(); left !== undefined && members.length > 0; left = members.shift()) {
        await left.end();
        await group.atWork(members);
      }
      await group.finish(c);
    },
    lives(() => 3),
  ),

  scenario(
    'replaces killed processes: others get what they held, with the keys in order',
    ['processes', 'ordering'],
    async (c) => {
      const kills = killsOf(c.harness);
      const { group, members } = await ProcessGroup.start(c, 2, { upToMs: 10 });
      const { ledger } = group.processes;
      for (let kill = 0; kill < kills; kill += 1) {
        await group.atWork(members);
        // It takes some and sits on them: they must come to others, though it has just given a sign of life.
        const doomed = await group.processes.start([group.member], { holdsAfter: 3 });
        await group.processes.eventually('a message held', () => ledger.all('held', doomed.name).length > 0);
        await doomed.kill();
      }
      await group.finish(c);
      for (const process of members) await process.end();
    },
    lives((harness) => killsOf(harness) + 2),
  ),

  scenario(
    'takes over the log of a process that was killed, when told to stand by',
    ['processes', 'checkpointed'],
    async (c) => {
      const log = { name: c.group(), topics: [await c.topic()], count: 30, keys: 7 };
      const processes = await Processes.open(c);
      const { ledger } = processes;
      const holder = await processes.start([], {}, log);
      const end = placeOf(log.count);
      await processes.eventually('publishing the log', () => ledger.all('published', holder.name).at(-1)?.text === end);
      const { transport } = c;
      assert.ok(canPublishCheckpointed(transport));
      let waits = false;
      let isOpen = false;
      const onStandby = (): void => {
        waits = true;
      };
      const opening = transport.openCheckpointed(log.name, { topics: log.topics, head: end, onStandby });
      const opened = opening.finally(() => {
        isOpen = true;
      });
      opened.catch((error: unknown) => c.fault(error));
      await c.eventually('standing by', () => waits);
      await c.quiet('it waits for the holder', () => !isOpen);
      await holder.kill();
      const publisher = await c.within('taking over', opened);
      assert.equal(publisher.resumeAfter, end);
    },
    lives(() => 2),
  ),

  scenario(
    'stores each item of a log once, in order, however often its publisher is killed',
    ['processes', 'checkpointed'],
    async (c) => {
      const kills = killsOf(c.harness);
      const topic = await c.topic();
      const name = c.group();
      const count = (kills + 1) * 60;
      const log = { name, topics: [topic], count, keys: 7 };
      const processes = await Processes.open(c);
      const { ledger } = processes;
      const recorder = new Recorder();
      await c.subscribe(topic, recorder.handler());
      for (let kill = 0; kill < kills; kill += 1) {
        const process = await processes.start([], {}, log);
        // Once behind the first items, else also while it opens the log.
        const some = kill === 0 ? 3 : Math.floor(c.random() * 6);
        const isOver = (): boolean => ledger.all('published', process.name).at(-1)?.text === placeOf(count);
        await processes.eventually(
          'publishing some',
          () =>
            isOver() ||
            [...ledger.all('opening', process.name), ...ledger.all('published', process.name)].length > some,
        );
        await process.kill();
      }
      const last = await processes.start([], {}, log);
      await processes.eventually(
        'publishing the rest',
        () => ledger.all('published', last.name).at(-1)?.text === placeOf(count),
      );
      await last.end();
      const messages = itemsOf(log).map(({ message }) => message);
      await c.eventually('handling all items', () => recorder.hasAll(messages));
      // Behind everything that was stored of a key.
      const end = [...new Set(messages.map(({ key = '' }) => key))].map((key) => c.message({ key }));
      await c.transport.publish(topic, end);
      await c.eventually('handling what comes after the log', () => recorder.hasAll(end));
      // A message may be delivered again; one that is stored again has another position.
      const places = messages.map((message) => new Set(recorder.of(message).map(({ delivery }) => delivery.position)));
      const twice = messages.filter((_, index) => (places[index]?.size ?? 0) > 1).map(({ id }) => id);
      assert.deepEqual(twice, [], 'stored more than once');
      if (c.harness.capabilities.ordering === 'key') assertFirstInOrder(recorder.calls, messages);
    },
    lives((harness) => killsOf(harness) + 1),
  ),
];
