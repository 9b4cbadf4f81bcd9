import assert from 'node:assert/strict';
import { rejection } from '../errors.ts';
import { type AdminScenario, idsOf, scenario } from './context.ts';

export const moveScenarios: readonly AdminScenario[] = [
  scenario('skips the next messages of a partition, or of each, unread', [], async (c) => {
    const { topic, group } = await c.grouped();
    const messages = await c.publishEach(topic, 30);
    const fullest = await c.fullest(topic, group);
    const partition = fullest[0]?.partition ?? 0;
    assert.equal(await c.admin.skip(topic, group, 2, { partition }), 2);
    await c.backlog(topic, group, 28);
    const skipped = idsOf(fullest.slice(0, 2));
    await c.assertGets(
      topic,
      group,
      messages.filter(({ id }) => !skipped.includes(id)),
    );
    const more = await c.publishEach(topic, 20);
    assert.equal(await c.admin.skip(topic, group, 1_000), more.length, 'as many as there were');
    await c.backlog(topic, group, 0);
    assert.equal(await c.admin.skip(topic, group, 1), 0, 'there were none');
    await c.assertGets(topic, group, []);
  }),

  scenario('moves a group to the beginning: all comes again, as for the first time', [], async (c) => {
    const { topic, group } = await c.grouped();
    const messages = await c.publishEach(topic, 20, 4);
    // Some acknowledged, some failed.
    await c.failFirstKey(topic, group, 15);
    await c.admin.reset(topic, group, 'earliest');
    await c.backlog(topic, group, 20);
    await c.assertGets(topic, group, messages);
  }),

  scenario('moves a group to the end: only what is published afterwards comes', [], async (c) => {
    const { topic, group } = await c.grouped();
    await c.publishEach(topic, 20);
    await c.admin.reset(topic, group, 'latest');
    await c.backlog(topic, group, 0);
    await c.assertGets(topic, group, await c.publishEach(topic, 5));
  }),

  scenario('moves a group to a time: what was published since comes', ['time'], async (c) => {
    const { topic, group } = await c.grouped();
    const before = await c.publishEach(topic, 20);
    await c.assertGets(topic, group, before);
    const begin = Date.now();
    // The clocks of the broker and of this process may differ by a millisecond or two.
    await c.eventually('a later time', () => Date.now() > begin + 20);
    const time = Date.now() - 5;
    const since = await c.publishEach(topic, 10);
    await c.admin.reset(topic, group, 'latest');
    await c.admin.reset(topic, group, { time });
    await c.backlog(topic, group, since.length);
    await c.assertGets(topic, group, since);
  }),

  scenario('moves a group to a position, the others of its partitions stay', [], async (c) => {
    const { topic, group } = await c.grouped();
    const messages = await c.publishEach(topic, 30);
    const ahead = await c.fullest(topic, group);
    const at = Math.floor(ahead.length / 2);
    const partition = ahead[0]?.partition ?? 0;
    const { position = '' } = ahead[at] ?? {};
    await c.admin.reset(topic, group, { position, partition });
    const passed = idsOf(ahead.slice(0, at));
    await c.backlog(topic, group, 30 - passed.length);
    await c.assertGets(
      topic,
      group,
      messages.filter(({ id }) => !passed.includes(id)),
    );
    // Back again.
    await c.admin.reset(topic, group, { position, partition });
    assert.deepEqual((await c.ahead(topic, group, partition))[0], ahead[at]);
  }),

  scenario('moves a group to the position of a delivery, which comes again first', [], async (c) => {
    const { topic, group } = await c.grouped(1);
    const messages = await c.publishEach(topic, 10);
    const { recorder, subscription } = await c.read(topic, group);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    await c.within('closing the subscription', subscription.close());
    const call = recorder.of(messages[6] ?? c.message())[0];
    await c.admin.reset(topic, group, { position: call?.delivery.position ?? '' });
    await c.backlog(topic, group, 4);
    await c.assertGets(topic, group, messages.slice(6));
  }),

  scenario('deletes the progress of a group, which then begins anew', [], async (c) => {
    const { topic, group } = await c.grouped();
    const other = c.group();
    await c.admin.createGroup(topic, other, 'earliest');
    const messages = await c.publishEach(topic, 10);
    const { recorder, subscription } = await c.read(topic, group);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    await c.within('closing the subscription', subscription.close());
    await c.admin.deleteGroup(group, [topic]);
    assert.deepEqual(await c.admin.listGroups(topic), [other]);
    await rejection('describing it', c.admin.describeGroup(topic, group), 'UNKNOWN_GROUP');
    await c.backlog(topic, other, 10);
    await c.assertGets(topic, group, messages);
  }),

  scenario('refuses to move or to delete a group with members, and changes nothing', ['refused'], async (c) => {
    const { topic, group } = await c.grouped();
    const { recorder, subscription } = await c.read(topic, group);
    const messages = await c.publishEach(topic, 5);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    for (const [what, work] of [
      ['reset', () => c.admin.reset(topic, group, 'earliest')],
      ['skip', () => c.admin.skip(topic, group, 1)],
      ['deleteGroup', () => c.admin.deleteGroup(group, [topic])],
    ] as const)
      await rejection(what, work(), 'GROUP_CONFLICT');
    await c.assertNothingElse(topic, recorder);
    await c.within('closing the subscription', subscription.close());
    await c.admin.reset(topic, group, 'latest');
  }),

  scenario('moves a group with members, which go on from there', ['cut off'], async (c) => {
    const { topic, group } = await c.grouped();
    const { recorder } = await c.read(topic, group);
    const messages = await c.publishEach(topic, 5);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    await c.admin.reset(topic, group, 'earliest');
    await c.eventually('handling them again', () => messages.every((one) => recorder.of(one).length === 2));
  }),
];
