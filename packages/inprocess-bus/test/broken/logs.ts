import type { CheckpointedPublisher } from '@bento-bus/core';
import type { InProcessTransport } from '../../src/index.ts';
import { unique } from './unique.ts';
import type { Break } from './ways.ts';

/** Publishes the items of a log without looking at the checkpoint. */
const withoutCheckpoint = (t: InProcessTransport, publisher: CheckpointedPublisher): CheckpointedPublisher => ({
  resumeAfter: publisher.resumeAfter,
  publish: async (items, through) => {
    await publisher.publish([], through);
    for (const { topic, message } of items) await t.publish(topic, [message]);
  },
  close: () => publisher.close(),
  [Symbol.asyncDispose]: () => publisher.close(),
});

/** Who opened a log earlier publishes it through whoever opened it last. */
const unfenced: Break = (t) => {
  const last = new Map<string, CheckpointedPublisher>();
  return {
    openCheckpointed: async (log, options) => {
      const publisher = await t.openCheckpointed(log, options);
      last.set(log, publisher);
      return {
        resumeAfter: publisher.resumeAfter,
        publish: (items, through) => (last.get(log) ?? publisher).publish(items, through),
        close: () => publisher.close(),
        [Symbol.asyncDispose]: () => publisher.close(),
      };
    },
  };
};

/** Publishing of logs broken on purpose. */
export const brokenLogs: Readonly<Record<string, Break>> = {
  'ignores the checkpoint': (t) => ({
    openCheckpointed: async (log, options) => withoutCheckpoint(t, await t.openCheckpointed(log, options)),
  }),
  'forgets the checkpoint': (t) => ({
    openCheckpointed: (log, options) => t.openCheckpointed(`${log}-${unique()}`, options),
  }),
  'has one checkpoint for all logs': (t) => ({
    openCheckpointed: (_, options) => t.openCheckpointed('the only one', options),
  }),
  'fences nobody': unfenced,
  'does not stand by': (t) => ({
    openCheckpointed: (log, { onStandby, ...options }) => {
      onStandby?.();
      return t.openCheckpointed(log, options);
    },
  }),
};
