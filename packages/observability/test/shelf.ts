import { BentoError, type Message, type MessagingAdmin, type Transport } from '@bento-bus/core';
import { closeOnce, deferred } from '@bento-bus/core/adapter';

type Reading = Pick<MessagingAdmin, 'listTopics' | 'describeTopic' | 'listGroups' | 'peek' | 'deleteGroup'>;

/** Topics that stand still, to be read: positions are indexes. */
export class Shelf {
  readonly #topics = new Map<string, readonly Message[]>();
  readonly #groups = new Set<string>();
  /** By topic: what is kept back, as what is not due yet. */
  readonly late = new Map<string, ReadonlySet<string>>();
  /** Called before each delivery. */
  onDelivery: () => void = () => {};
  subscribed = 0;

  put(topic: string, messages: readonly Message[]): void {
    this.#topics.set(topic, messages);
  }

  /** Groups that nobody deleted. */
  get groups(): readonly string[] {
    return [...this.#groups];
  }

  readonly admin: Reading = {
    listTopics: async ({ internal = false } = {}) =>
      [...this.#topics.keys()].filter((topic) => internal || !/-[A-Z]+$/.test(topic)),
    describeTopic: async (topic) => {
      const messages = this.#topics.get(topic);
      if (messages === undefined) throw new BentoError('UNKNOWN_TOPIC', `no topic "${topic}"`);
      const ends = messages.length > 0 && { first: '0', last: `${messages.length - 1}` };
      return { topic, config: {}, partitions: [{ partition: 0, messages: messages.length, ...ends }] };
    },
    listGroups: async () => ['gone', 'mail'],
    peek: async (topic, group) => {
      if (group === 'gone') throw new BentoError('UNKNOWN_GROUP', `no group "${group}"`);
      return (this.#topics.get(topic) ?? []).flatMap((message, position) =>
        this.late.get(topic)?.has(message.id) ? [{ partition: 0, position: `${position}`, message }] : [],
      );
    },
    deleteGroup: async (group) => void this.#groups.delete(group),
  };

  readonly transport: Transport = {
    name: 'shelf',
    capabilities: {
      durable: true,
      ordering: 'key',
      sharesGroupAcrossProcesses: false,
      startPositions: ['earliest'],
      delays: true,
    },
    publish: () => Promise.reject(new BentoError('UNSUPPORTED', 'a shelf is only read')),
    subscribeBatch: () => Promise.reject(new BentoError('UNSUPPORTED', 'a shelf is read one by one')),
    subscribe: async (topics, handler, { group }) => {
      this.subscribed += 1;
      this.#groups.add(group);
      const stop = new AbortController();
      const deliver = async (): Promise<void> => {
        for (const topic of topics)
          for (const [position, message] of (this.#topics.get(topic) ?? []).entries()) {
            if (stop.signal.aborted) return;
            if (this.late.get(topic)?.has(message.id)) continue;
            this.onDelivery();
            await handler({ topic, message, attempt: 1, position: `${position}` }, stop.signal);
          }
      };
      const delivered = Promise.resolve().then(deliver);
      const closed = deferred();
      return {
        closed: closed.promise,
        ...closeOnce(async () => {
          stop.abort();
          await delivered;
          closed.resolve();
        }),
      };
    },
    ...closeOnce(() => {}),
  };
}
