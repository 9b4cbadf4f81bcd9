import assert from 'node:assert/strict';
import { rejection } from '../errors.ts';
import { assertSameIds } from '../same-ids.ts';
import { type AdminScenario, idsOf, scenario } from './context.ts';

export const groupScenarios: readonly AdminScenario[] = [
  scenario('makes a group without members, for which what comes is kept', [], async (c) => {
    const topic = await c.topic();
    await c.publishEach(topic, 5);
    const [late, early] = [c.group(), c.group()];
    assert.equal(await c.admin.createGroup(topic, late), true, 'made');
    assert.equal(await c.admin.createGroup(topic, early, 'earliest'), true, 'made');
    const later = await c.publishEach(topic, 5);
    assert.equal(await c.admin.createGroup(topic, late, 'latest'), false, 'it was there');
    await c.backlog(topic, late, 5);
    await c.backlog(topic, early, 10);
    await c.assertGets(topic, late, later);
  }),

  scenario('lists the groups of a topic, with members or without', [], async (c) => {
    const [topic, other] = [await c.topic(), await c.topic()];
    const groups = [c.group(), c.group(), c.group()];
    const [present = '', made = '', gone = ''] = groups;
    await c.admin.createGroup(topic, made);
    await c.admin.createGroup(other, c.group());
    const leaving = await c.read(topic, gone);
    const [message] = await c.publishEach(topic, 1);
    await c.eventually('handling the message', () => message !== undefined && leaving.recorder.has(message));
    await leaving.subscription.close();
    await c.read(topic, present);
    assert.deepEqual(await c.admin.listGroups(topic), groups.toSorted());
  }),

  scenario('says that a group has nothing to do with a topic with UNKNOWN_GROUP', [], async (c) => {
    const { admin } = c;
    const topic = await c.topic();
    const elsewhere = await c.grouped();
    for (const group of [c.group(), elsewhere.group]) {
      await rejection('describeGroup', admin.describeGroup(topic, group), 'UNKNOWN_GROUP');
      await rejection('peek', admin.peek(topic, group), 'UNKNOWN_GROUP');
      await rejection('skip', admin.skip(topic, group, 1), 'UNKNOWN_GROUP');
      await rejection('reset', admin.reset(topic, group, 'earliest'), 'UNKNOWN_GROUP');
      await rejection('deleteGroup', admin.deleteGroup(group, [topic]), 'UNKNOWN_GROUP');
    }
    assert.deepEqual(await admin.listGroups(topic), [], 'asking makes nothing');
    assert.deepEqual(await admin.listGroups(elsewhere.topic), [elsewhere.group]);
  }),

  scenario('counts a backlog that rises with what is published and falls with what is acknowledged', [], async (c) => {
    const { topic, group } = await c.grouped();
    await c.backlog(topic, group, 0);
    const messages = await c.publishEach(topic, 20);
    const found = await c.backlog(topic, group, 20);
    assert.deepEqual([found.topic, found.group, found.members], [topic, group, []]);
    const { recorder } = await c.read(topic, group);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    await c.backlog(topic, group, 0);
    const gate = c.gate();
    const slow = await c.grouped();
    await c.subscribe(slow.topic, () => gate.opened, { group: slow.group });
    await c.publishEach(slow.topic, 4);
    await c.backlog(slow.topic, slow.group, 4);
  }),

  scenario('tells the backlog and the next message of each partition', [], async (c) => {
    const { topic, group } = await c.grouped();
    await c.publishEach(topic, 30);
    const { partitions } = await c.backlog(topic, group, 30);
    assert.deepEqual(
      partitions.map(({ partition }) => partition),
      Array.from({ length: c.partitions }, (_, index) => index),
    );
    for (const { partition, backlog, next } of partitions) {
      const ahead = await c.ahead(topic, group, partition);
      assert.equal(backlog, ahead.length, `backlog of partition ${partition}`);
      assert.equal(next, ahead[0]?.position, `next of partition ${partition}`);
    }
  }),

  scenario('shows the members of a group while they are at work', [], async (c) => {
    const topic = await c.topic();
    const group = c.group();
    const one = await c.subscribe(topic, async () => {}, { group });
    const two = await c.subscribe(topic, async () => {}, { group, on: await c.client() });
    await c.eventually('two members with all partitions', async () => {
      const { members } = await c.admin.describeGroup(topic, group);
      assert.equal(new Set(members.map(({ id }) => id)).size, 2, 'members');
      const partitions = new Set(members.flatMap((member) => member.partitions));
      assert.deepEqual(
        [...partitions].toSorted((a, b) => a - b),
        Array.from({ length: c.partitions }, (_, index) => index),
      );
      for (const member of members)
        assert.deepEqual(
          member.partitions,
          member.partitions.toSorted((a, b) => a - b),
        );
    });
    await one.close();
    await two.close();
    await c.eventually('no members', async () => {
      assert.deepEqual((await c.admin.describeGroup(topic, group)).members, []);
    });
  }),

  scenario('looks at the next messages, and changes nothing', [], async (c) => {
    const { topic, group } = await c.grouped();
    const messages = await c.publishEach(topic, 30);
    const tombstone = c.message({ key: 'gone', body: null, headers: { 'x-reason': 'test' } });
    await c.transport.publish(topic, [tombstone]);
    const all = [...messages, tombstone];
    const peeked = await c.admin.peek(topic, group, { count: 1_000 });
    assert.deepEqual(idsOf(peeked).toSorted(), all.map(({ id }) => id).toSorted());
    for (const { message } of peeked) {
      const sent = all.find(({ id }) => id === message.id);
      assert.deepEqual(
        [message.type, message.source, message.time, message.key, message.headers['x-reason']],
        [sent?.type, sent?.source, sent?.time, sent?.key, sent?.headers['x-reason']],
      );
      assert.deepEqual(message.body && Buffer.from(message.body), sent?.body && Buffer.from(sent.body));
    }
    const fullest = await c.fullest(topic, group);
    const partition = fullest[0]?.partition ?? 0;
    const few = await c.admin.peek(topic, group, { count: 2, partition });
    assert.deepEqual(few, fullest.slice(0, 2), 'the first of a partition');
    const each = await c.admin.peek(topic, group, { count: 1 });
    assert.deepEqual(
      each.map((one) => one.partition),
      peeked.map((one) => one.partition).filter((one, index, list) => list.indexOf(one) === index),
      'one of each partition that has any',
    );
    await c.backlog(topic, group, all.length);
    await c.assertGets(topic, group, all);
    assert.deepEqual(await c.admin.peek(topic, group), [], 'nothing is left');
  }),

  scenario('looks only at what is not acknowledged', [], async (c) => {
    const { topic, group } = await c.grouped();
    await c.assertGets(topic, group, await c.publishEach(topic, 10));
    const later = await c.publishEach(topic, 10);
    assert.deepEqual(
      idsOf(await c.admin.peek(topic, group, { count: 100 })).toSorted(),
      later.map(({ id }) => id).toSorted(),
    );
  }),

  scenario('counts and shows what has failed, and not what was acknowledged behind it', [], async (c) => {
    const { topic, group } = await c.grouped();
    const messages = await c.publishEach(topic, 20, 4);
    const failing = messages.filter(({ key }) => key === 'k0');
    await c.failFirstKey(topic, group, 15);
    const { partitions } = await c.backlog(topic, group, failing.length);
    const peeked = await c.admin.peek(topic, group, { count: 100 });
    assertSameIds(
      idsOf(peeked),
      failing.map(({ id }) => id),
      'not acknowledged',
    );
    const { partition, next } = partitions.find(({ backlog }) => backlog > 0) ?? {};
    assert.deepEqual([partition, next], [peeked[0]?.partition, peeked[0]?.position]);
    assert.equal(await c.admin.skip(topic, group, 2), 2);
    const left = failing.slice(2).map(({ id }) => id);
    assertSameIds(idsOf(await c.admin.peek(topic, group, { count: 100 })), left, 'left');
    const { recorder } = await c.read(topic, group);
    await c.eventually('handling what is left', () => left.every((id) => recorder.has({ id })));
    await c.backlog(topic, group, 0);
    assertSameIds(recorder.ids, left, 'handled');
  }),
];
