import { assertSameIds } from '../same-ids.ts';
import { scenario, type TransportContext, type TransportScenario } from './context.ts';
import { Recorder } from './recorder.ts';

/** The clock stands at a later millisecond than before. */
const nextMillisecond = async (c: TransportContext): Promise<number> => {
  const before = Date.now();
  await c.eventually('the next millisecond', () => Date.now() > before + 1);
  return Date.now();
};

export const startScenarios: readonly TransportScenario[] = [
  scenario('replays a topic from its earliest message to a new group', ['earliest'], async (c) => {
    const topic = await c.topic();
    const messages = c.messages(100, 10);
    const recorder = new Recorder();
    // Others having handled it changes nothing.
    await c.subscribe(topic, recorder.handler());
    await c.transport.publish(topic, messages);
    await c.eventually('handling all messages', () => recorder.hasAll(messages));
    for (const startPosition of [undefined, 'earliest'] as const) {
      const replay = new Recorder();
      const client = await c.client();
      await c.subscribe(topic, replay.handler(), { on: client, ...(startPosition && { startPosition }) });
      await c.eventually('replaying all messages', () => replay.hasAll(messages));
      assertSameIds(
        replay.ids,
        messages.map(({ id }) => id),
        'replayed',
      );
      if (c.harness.capabilities.ordering === 'key') replay.assertOrderPerKey(messages);
    }
  }),

  scenario("gives a new group that begins at 'latest' only what is published afterwards", ['latest'], async (c) => {
    const topic = await c.topic();
    await c.transport.publish(topic, c.messages(20, 4));
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler(), { startPosition: 'latest' });
    const later = c.messages(20, 4);
    await c.transport.publish(topic, later);
    await c.eventually('handling what was published afterwards', () => recorder.hasAll(later));
    assertSameIds(
      recorder.ids,
      later.map(({ id }) => id),
      'handled',
    );
  }),

  scenario('gives a new group that begins at a time only what was published since', ['time'], async (c) => {
    const topic = await c.topic();
    await c.transport.publish(topic, c.messages(20, 4));
    const time = await nextMillisecond(c);
    await nextMillisecond(c);
    const since = c.messages(20, 4);
    await c.transport.publish(topic, since);
    const recorder = new Recorder();
    await c.subscribe(topic, recorder.handler(), { startPosition: { time } });
    const later = c.messages(4, 4);
    await c.transport.publish(topic, later);
    await c.eventually('handling what was published since', () => recorder.hasAll([...since, ...later]));
    assertSameIds(
      recorder.ids,
      [...since, ...later].map(({ id }) => id),
      'handled',
    );
  }),
];
