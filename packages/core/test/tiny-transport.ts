// The least that is a transport: the example of the page for adapter authors, and what the tests of the bus run on.
// One process, nothing stored, subscriptions see what is published after them. inprocess-bus is the real one.
import {
  closeOnce,
  createLanes,
  deferred,
  type Lanes,
  prepareSubscription,
  resolveSubscribeOptions,
  type SubscriptionHandler,
} from '../src/adapter/index.ts';
import { BentoError, type Message, type SubscribeOptions, type Subscription, type Transport } from '../src/index.ts';

export function createTinyTransport(): Transport {
  const subscribed = new Map<string, Set<(topic: string, message: Message) => Promise<void>>>();
  const running = new Set<Subscription>();
  let published = 0;
  let closed = false;

  const publish = async (topic: string, messages: readonly Message[]): Promise<void> => {
    if (closed) throw new BentoError('CLOSED', `tiny-transport: cannot publish to "${topic}": it is closed.`);
    for (const message of messages) {
      for (const take of subscribed.get(topic) ?? []) await take(topic, message);
    }
  };

  const start = async (
    topics: readonly string[],
    handler: SubscriptionHandler,
    given: SubscribeOptions & { readonly size?: number; readonly waitMs?: number },
  ): Promise<Subscription> => {
    const options = resolveSubscribeOptions('tiny-transport', topics, given);
    const prepared = prepareSubscription(topics, handler, options, {
      adapter: 'tiny-transport',
      publisher: transport,
      lane: (delivery) => lanes.stateOf(delivery),
    });
    const ended = deferred();
    const lanes: Lanes<Message> = createLanes<Message>({
      ...options,
      handler: prepared.handler,
      exhausted: prepared.exhausted,
      // A broker's transport acknowledges here.
      settle: () => {},
      onFault: ended.reject,
    });
    const take = async (topic: string, message: Message): Promise<void> => {
      const delivery = { topic, message, attempt: 1, position: String((published += 1)) };
      for (let room = lanes.room(delivery); room !== undefined; room = lanes.room(delivery)) await room;
      lanes.push(delivery, message);
    };
    for (const topic of prepared.topics) subscribed.set(topic, (subscribed.get(topic) ?? new Set()).add(take));
    const subscription: Subscription = {
      closed: ended.promise,
      ...closeOnce(async () => {
        for (const topic of prepared.topics) subscribed.get(topic)?.delete(take);
        await lanes.drain(options.drainMs);
        await prepared.close();
        running.delete(subscription);
        ended.resolve();
      }),
    };
    running.add(subscription);
    return subscription;
  };

  const transport: Transport = {
    name: 'tiny',
    capabilities: {
      durable: false,
      ordering: 'key',
      sharesGroupAcrossProcesses: false,
      startPositions: ['latest'],
      delays: false,
    },
    publish,
    subscribe: (topics, handler, options) => start(topics, { each: handler }, options),
    subscribeBatch: (topics, handler, options) => start(topics, { batch: handler }, options),
    ...closeOnce(async () => {
      closed = true;
      await Promise.all([...running].map((subscription) => subscription.close()));
    }),
  };
  return transport;
}
