import assert from 'node:assert/strict';
import { canPublishCheckpointed, headerNames } from '@bento-bus/core';
import { uniqueName } from '../names.ts';
import { assertSameIds } from '../same-ids.ts';
import { scenario, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

export const tenantScenarios: readonly TransportScenario[] = [
  scenario('keeps the messages, groups and logs of tenants apart', ['tenants'], async (c) => {
    const names = [uniqueName('tenant'), uniqueName('tenant')] as const;
    const [topic, group, log] = [uniqueName('topic'), c.group(), uniqueName('log')];
    const sides = [];
    for (const name of names) {
      const client = await c.tenant(name);
      const recorder = new Recorder();
      await c.subscribe(topic, recorder.handler(), { on: client, group });
      const messages = c.messages(30, 5);
      const later = c.message({ headers: { [headerNames.deliverAt]: String(Date.now() + 200) } });
      sides.push({ client, recorder, messages, later });
    }
    for (const { client, messages, later } of sides) await client.publish(topic, [...messages, later]);
    for (const { client, recorder, messages, later } of sides) {
      await c.eventually('handling all messages of a tenant', () => recorder.hasAll([...messages, later]));
      // Who sees messages of the other has had them by now: their topics were filled before.
      assertSameIds(
        recorder.ids,
        [...messages, later].map(({ id }) => id),
        'handled',
      );
      if (!canPublishCheckpointed(client)) continue;
      const publisher = await client.openCheckpointed(log, { topics: [topic], head: '' });
      assert.equal(publisher.resumeAfter, '', "the checkpoint is the tenant's own");
      const logged = c.message();
      await publisher.publish([{ topic, message: logged, position: '1' }], '1');
      await c.eventually('handling the item of the log', () => recorder.has(logged));
    }
    for (const [index, { recorder, messages, later }] of sides.entries()) {
      const other = sides[1 - index] as (typeof sides)[number];
      const seen = other.recorder.ids.filter((id) => [...messages, later].some((message) => message.id === id));
      assert.deepEqual(seen, [], 'seen by the other tenant');
      assert.equal(recorder.calls.length, new Set(recorder.ids).size, 'each is delivered once');
    }
  }),
];
