import type { Operations } from '@bento-bus/admin';
import { BentoError, type Delivery, type MessagingAdmin, type Transport } from '@bento-bus/core';
import { closeOnce, deferred } from '@bento-bus/core/adapter';

type Admin = Pick<MessagingAdmin, 'listTopics' | 'describeTopic' | 'listGroups' | 'peek' | 'deleteGroup'>;

/** A transport that only reads, through operations: for those who look at topics where only the application has the transport. */
export const readingTransport = (operations: Operations, name: string): Transport => ({
  name,
  capabilities: {
    durable: false,
    ordering: 'none',
    sharesGroupAcrossProcesses: false,
    startPositions: ['earliest', 'latest', 'time'],
    delays: false,
  },
  publish: () => Promise.reject(readsOnly('publish')),
  subscribeBatch: () => Promise.reject(readsOnly('subscribe in batches')),
  subscribe: async (topics, handler, { startPosition = 'earliest' }) => {
    const ending = new AbortController();
    const closed = deferred();
    const read = async (topic: string): Promise<void> => {
      for await (const { message, position } of operations.tail(topic, {
        from: startPosition,
        signal: ending.signal,
      })) {
        const delivery: Delivery = { topic, message, position, attempt: 1 };
        await handler(delivery, ending.signal);
      }
    };
    const reading = Promise.all(topics.map(read));
    reading.then(() => closed.resolve(), closed.reject);
    return {
      closed: closed.promise,
      ...closeOnce(async () => {
        ending.abort();
        await reading.catch(() => {});
      }),
    };
  },
  ...closeOnce(() => {}),
});

/** `tail` leaves no group behind: there is none to delete. */
export const readingAdmin = (operations: Operations): Admin => ({
  listTopics: (options) => operations.listTopics(options),
  describeTopic: (topic) => operations.describeTopic(topic),
  listGroups: (topic) => operations.listGroups(topic),
  peek: async (topic, group, options) =>
    (await operations.peek(topic, group, options)).map(({ partition = 0, position, message }) => ({
      partition,
      position,
      message,
    })),
  deleteGroup: async () => {},
});

const readsOnly = (what: string): BentoError =>
  new BentoError('UNSUPPORTED', `bento: cannot ${what}: this transport only reads. Use the operations.`);
