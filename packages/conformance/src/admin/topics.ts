import assert from 'node:assert/strict';
import { rejection } from '../errors.ts';
import { uniqueName } from '../names.ts';
import { assertSameIds } from '../same-ids.ts';
import { type AdminScenario, idsOf, scenario } from './context.ts';

const refused = (what: string, work: Promise<unknown>): Promise<unknown> => rejection(what, work, 'CONFIGURATION');

export const topicScenarios: readonly AdminScenario[] = [
  scenario('makes a topic, and says when it was there already', [], async (c) => {
    const topic = c.name();
    assert.equal(await c.admin.createTopic(topic, { partitions: c.partitions }), true, 'made');
    assert.equal(await c.admin.createTopic(topic, { partitions: c.partitions + 1 }), false, 'it was there');
    const { partitions } = await c.admin.describeTopic(topic);
    assert.deepEqual(
      partitions.map(({ partition }) => partition),
      Array.from({ length: c.partitions }, (_, index) => index),
      'it stays as it was',
    );
    const messages = await c.publishEach(topic, 3);
    await c.assertGets(topic, c.group(), messages);
  }),

  scenario('lists topics by prefix, sorted, without what the toolkit or the broker made for itself', [], async (c) => {
    const prefix = `${uniqueName('listed')}.`;
    const made = [3, 1, 2].map((number) => c.name(`${prefix}${number}`));
    for (const topic of made) await c.admin.createTopic(topic, { partitions: c.partitions });
    // Progress of a group is kept in topics of the broker, and maybe of the toolkit.
    const [topic = ''] = made;
    await c.assertGets(topic, c.group(), await c.publishEach(topic, 3));
    assert.deepEqual(await c.admin.listTopics({ prefix }), made.toSorted());
    const all = await c.admin.listTopics();
    assert.deepEqual(all, all.toSorted(), 'sorted');
    assert.ok(made.every((name) => all.includes(name)));
    const internal = await c.admin.listTopics({ internal: true });
    assert.ok(
      all.every((name) => internal.includes(name) || !name.startsWith(prefix)),
      'with internal ones it lists the others too',
    );
    assert.deepEqual(await c.admin.listTopics({ prefix: uniqueName('nothing') }), []);
  }),

  scenario('describes the partitions of a topic, and what is stored in them', [], async (c) => {
    const topic = await c.topic();
    for (const { messages, first, last } of (await c.admin.describeTopic(topic)).partitions)
      assert.deepEqual([messages, first, last], [0, undefined, undefined], 'an empty partition');
    const messages = await c.publishEach(topic, 30);
    const group = c.group();
    await c.admin.createGroup(topic, group, 'earliest');
    const { partitions, topic: named } = await c.admin.describeTopic(topic);
    assert.equal(named, topic);
    assert.equal(partitions.length, c.partitions);
    assert.equal(
      partitions.reduce((sum, one) => sum + one.messages, 0),
      messages.length,
    );
    for (const one of partitions) {
      const stored = await c.ahead(topic, group, one.partition);
      assert.equal(one.messages, stored.length, `messages in partition ${one.partition}`);
      assert.equal(one.first, stored[0]?.position, 'the first');
      assert.equal(one.last, stored.at(-1)?.position, 'the last');
    }
  }),

  scenario(
    'makes a topic with settings, changes them, and takes them back to their defaults',
    ['settings'],
    async (c) => {
      const topic = c.name();
      const { name, values } = c.setting;
      const [first, second] = values;
      const shows = (expected: string | undefined): Promise<void> =>
        c.eventually(`${name} being ${expected}`, async () => {
          const { config } = await c.admin.describeTopic(topic);
          assert.equal(config[name], expected);
        });
      await c.admin.createTopic(topic, { partitions: 1, config: { [name]: first } });
      await shows(first);
      await c.admin.configureTopic(topic, { [name]: second });
      await shows(second);
      await c.admin.configureTopic(topic, {});
      await shows(second);
      await c.admin.configureTopic(topic, { [name]: null });
      await shows(undefined);
    },
  ),

  scenario('refuses a setting that there is not, and changes nothing', [], async (c) => {
    const topic = await c.topic();
    const { config } = await c.admin.describeTopic(topic);
    await refused('an unknown setting', c.admin.configureTopic(topic, { 'no.such.setting': '1' }));
    assert.deepEqual((await c.admin.describeTopic(topic)).config, config);
    const other = c.name();
    await refused(
      'a topic with it',
      c.admin.createTopic(other, { partitions: c.partitions, config: { 'no.such.setting': '1' } }),
    );
    await rejection('describing that', c.admin.describeTopic(other), 'UNKNOWN_TOPIC');
  }),

  scenario('grows a topic, which keeps what it has and takes more', ['partitions'], async (c) => {
    const { topic, group } = await c.grouped(2);
    const before = await c.publishEach(topic, 10);
    await c.admin.setPartitions(topic, 5);
    assert.equal((await c.admin.describeTopic(topic)).partitions.length, 5);
    await rejection('fewer partitions', c.admin.setPartitions(topic, 4), 'CONFIGURATION');
    // A client that knows it as it is.
    const transport = await c.client();
    const after = c.messages(50, 50);
    for (const message of after) await transport.publish(topic, [message]);
    await c.assertGets(topic, group, [...before, ...after]);
    const { partitions } = await c.admin.describeTopic(topic);
    assert.ok(partitions.filter(({ messages }) => messages > 0).length > 2, 'new partitions are used');
  }),

  scenario('leaves a topic with as many partitions as are asked for as it is', [], async (c) => {
    const topic = await c.topic();
    await c.admin.setPartitions(topic, c.partitions);
    assert.equal((await c.admin.describeTopic(topic)).partitions.length, c.partitions);
    if (c.settings.partitions === 1) await refused('more than one', c.admin.setPartitions(topic, 2));
  }),

  scenario('deletes a topic with what is stored in it and the progress on it', [], async (c) => {
    const { topic, group } = await c.grouped();
    await c.publishEach(topic, 5);
    assert.equal(await c.admin.deleteTopic(topic), true, 'deleted');
    assert.equal(await c.admin.deleteTopic(topic), false, 'there was none');
    assert.deepEqual(await c.admin.listTopics({ prefix: topic }), []);
    await rejection('describing it', c.admin.describeTopic(topic), 'UNKNOWN_TOPIC');
    await c.admin.createTopic(topic, { partitions: c.partitions });
    assert.deepEqual(await c.admin.listGroups(topic), []);
    const { partitions } = await c.admin.describeTopic(topic);
    assert.ok(
      partitions.every(({ messages }) => messages === 0),
      'it is empty',
    );
    await c.admin.createGroup(topic, group, 'earliest');
    const transport = await c.client();
    const message = c.message({ key: 'k' });
    await transport.publish(topic, [message]);
    await c.backlog(topic, group, 1);
    assertSameIds(idsOf(await c.admin.peek(topic, group)), [message.id], 'in the new topic');
  }),

  scenario('says that there is no such topic with UNKNOWN_TOPIC', [], async (c) => {
    const { admin } = c;
    const topic = uniqueName('missing');
    const group = c.group();
    const { name, values } = c.settings.setting ?? { name: 'setting', values: ['1'] };
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      describeTopic: () => admin.describeTopic(topic),
      setPartitions: () => admin.setPartitions(topic, 5),
      configureTopic: () => admin.configureTopic(topic, { [name]: values[0] }),
      createGroup: () => admin.createGroup(topic, group),
      listGroups: () => admin.listGroups(topic),
      describeGroup: () => admin.describeGroup(topic, group),
      peek: () => admin.peek(topic, group),
      skip: () => admin.skip(topic, group, 1),
      reset: () => admin.reset(topic, group, 'earliest'),
    };
    for (const [call, work] of Object.entries(calls))
      assert.match((await rejection(call, work(), 'UNKNOWN_TOPIC')).message, new RegExp(topic), `${call} names it`);
    assert.deepEqual(await admin.listTopics({ prefix: topic }), [], 'asking makes nothing');
  }),

  scenario('refuses what makes no sense with a CONFIGURATION error', [], async (c) => {
    const { admin } = c;
    const { topic, group } = await c.grouped();
    for (const name of ['', ...(c.settings.refusedNames ?? [])]) {
      await refused(`making topic "${name}"`, admin.createTopic(name));
      await refused(`describing topic "${name}"`, admin.describeTopic(name));
      await refused(`deleting topic "${name}"`, admin.deleteTopic(name));
      await refused(`group on topic "${name}"`, admin.createGroup(name, group));
    }
    await refused('a group without a name', admin.createGroup(topic, ''));
    for (const number of [0, -1, 1.5, Number.NaN]) {
      await refused(`${number} partitions`, admin.createTopic(uniqueName('never'), { partitions: number }));
      await refused(`growing to ${number} partitions`, admin.setPartitions(topic, number));
      await refused(`peek at ${number} messages`, admin.peek(topic, group, { count: number }));
      await refused(`skip ${number} messages`, admin.skip(topic, group, number));
    }
    await refused('no such partition to peek', admin.peek(topic, group, { partition: c.partitions }));
    await refused('no such partition to skip', admin.skip(topic, group, 1, { partition: c.partitions }));
    await refused('a time that is none', admin.reset(topic, group, { time: Number.NaN }));
    await refused('a position that is none', admin.reset(topic, group, { position: 'nowhere' }));
  }),

  scenario('closes once, and refuses everything after close with CLOSED', [], async (c) => {
    const { admin } = c;
    const { topic, group } = await c.grouped();
    const other = await c.createAdmin();
    await other.describeTopic(topic);
    const first = other.close();
    assert.equal(other.close(), first, 'a second close returns the same promise');
    await c.within('closing', first);
    await c.within('disposing', Promise.resolve(other[Symbol.asyncDispose]()));
    for (const work of [
      () => other.listTopics(),
      () => other.createTopic(uniqueName('never')),
      () => other.describeTopic(topic),
      () => other.deleteTopic(topic),
      () => other.listGroups(topic),
      () => other.describeGroup(topic, group),
      () => other.peek(topic, group),
      () => other.reset(topic, group, 'latest'),
    ])
      await rejection('a call after close', work(), 'CLOSED');
    await admin.describeTopic(topic);
  }),
];
