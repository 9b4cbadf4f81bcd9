import { closeAll, closeOnce } from './adapter/drain.ts';
import type { SubscriptionHandler } from './adapter/prepare.ts';
import type { Codec } from './codec.ts';
import { configurationError } from './configuration.ts';
import { BentoError } from './errors.ts';
import { typedBatchHandler } from './event-batch-handler.ts';
import { topicHandler, typedHandler } from './event-handler.ts';
import type { EventDefinition } from './events.ts';
import type { Logger } from './logger.ts';
import type { Delivery } from './message.ts';
import type {
  BusBatchOptions,
  BusSubscribeOptions,
  BusSubscription,
  EventBatchHandler,
  EventHandler,
} from './message-bus.ts';
import type { Middleware } from './middleware.ts';
import { followTopics, listingOf, type TopicSelector } from './topic-patterns.ts';
import type { BatchOptions, SubscribeOptions, Subscriber, Subscription } from './transport.ts';

/** What a bus subscribes to: event definitions, or topics and patterns. */
export type Subscribed = TopicSelector | readonly (TopicSelector | EventDefinition)[];

const longestTimer = 2 ** 31 - 1;

/** The subscriptions of one bus: at most one per group and topic, all closed together. */
export class BusSubscriptions {
  closed = false;
  readonly #subscriber: Subscriber;
  readonly #codec: Codec;
  readonly #use: readonly Middleware[];
  readonly #logger: Logger;
  /** Topics in use, per group. */
  readonly #taken = new Map<string, Set<string>>();
  readonly #open = new Set<Running>();
  readonly #opening = new Set<Promise<unknown>>();

  constructor(subscriber: Subscriber, codec: Codec, use: readonly Middleware[], logger: Logger) {
    this.#subscriber = subscriber;
    this.#codec = codec;
    this.#use = use;
    this.#logger = logger;
  }

  async open(what: Subscribed, handler: EventHandler<never>, options: BusSubscribeOptions): Promise<BusSubscription> {
    if (this.closed) throw closedError(options.group);
    const { topicRefreshMs = 10_000, ...given } = options;
    const ignored = this.#ignored(options.group);
    const selectors = selectorsOf(what);
    if (selectors !== undefined) {
      const each = topicHandler(typeof what === 'string' ? what : undefined, this.#codec, handler);
      return reported(await this.#select(selectors, { each }, given, topicRefreshMs), ignored);
    }
    const definitions = definitionsByType(what as readonly EventDefinition[], options.group);
    const each = typedHandler(definitions, this.#codec, handler, ignored.take);
    return reported(await this.#start(topicsOf(definitions), { each }, given), ignored);
  }

  async openBatch(
    what: readonly EventDefinition[],
    handler: EventBatchHandler<never>,
    options: BusBatchOptions,
  ): Promise<BusSubscription> {
    const { group, ordering = 'key' } = options;
    if (this.closed) throw closedError(group);
    const ignored = this.#ignored(group);
    const definitions = definitionsByType(what, group);
    const batch = typedBatchHandler(handler, { definitions, codec: this.#codec, ordering, ignore: ignored.take });
    const { topicRefreshMs: _, ...given } = options;
    return reported(await this.#start(topicsOf(definitions), { batch }, given), ignored);
  }

  #ignored(group: string): Ignored {
    const ignored: Ignored = {
      count: 0,
      take: ({ topic, message: { type, id: messageId } }) => {
        ignored.count += 1;
        const text = 'acknowledged a message whose type nobody asked for';
        this.#logger.debug(text, { topic, type, messageId, group });
      },
    };
    return ignored;
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.#opening);
    await closeAll([...this.#open].map((subscription) => subscription.close));
  }

  /** By name, or by patterns. */
  async #select(
    selectors: readonly TopicSelector[],
    innermost: SubscriptionHandler,
    options: SubscribeOptions,
    refreshMs: number,
  ): Promise<Running> {
    if (selectors.every((one) => typeof one === 'string')) return this.#start(selectors, innermost, options);
    const { group } = options;
    if (!Number.isFinite(refreshMs) || refreshMs < 1 || refreshMs > longestTimer)
      throw configurationError(`core: cannot subscribe group "${group}"`, [
        `topicRefreshMs must be a number of milliseconds from 1 to ${longestTimer}, not ${String(refreshMs)}`,
      ]);
    const following = followTopics({
      group,
      selectors,
      list: listingOf(this.#subscriber, group),
      refreshMs,
      // All that stands in a topic that came later was published later.
      open: (topics, later) =>
        this.#start(topics, innermost, later ? { ...options, startPosition: 'earliest' } : options),
      logger: this.#logger,
    });
    const subscription = await following;
    const running: Running = { closed: subscription.closed, close: () => subscription.close() };
    this.#open.add(running);
    const forget = (): boolean => this.#open.delete(running);
    running.closed.then(forget, forget);
    if (!this.closed) return running;
    await running.close();
    throw closedError(group);
  }

  async #start(
    topics: readonly string[],
    innermost: SubscriptionHandler,
    options: SubscribeOptions & Partial<BatchOptions>,
  ): Promise<Running> {
    const { group } = options;
    this.#take(group, topics);
    const release = (): void => this.#release(group, topics);
    const all = { ...options, use: [...this.#use, ...(options.use ?? [])] };
    const opening =
      'each' in innermost
        ? this.#subscriber.subscribe(topics, innermost.each, all)
        : this.#subscriber.subscribeBatch(topics, innermost.batch, all as SubscribeOptions & BatchOptions);
    this.#opening.add(opening);
    let subscription: Subscription;
    try {
      subscription = await opening;
    } catch (error) {
      release();
      throw error;
    } finally {
      this.#opening.delete(opening);
    }
    let ended = false;
    const end = (): void => {
      if (ended) return;
      ended = true;
      this.#open.delete(running);
      release();
    };
    const closing = closeOnce(() => subscription.close().finally(end));
    const running: Running = { closed: subscription.closed, close: () => closing.close() };
    this.#open.add(running);
    running.closed.then(end, (error: unknown) => {
      this.#logger.error('a subscription ended by a fault', { group, topics, error });
      end();
    });
    if (!this.closed) return running;
    await running.close();
    throw closedError(group);
  }

  #take(group: string, topics: readonly string[]): void {
    const taken = this.#taken.get(group) ?? new Set<string>();
    const overlap = topics.filter((topic) => taken.has(topic));
    if (overlap.length > 0) {
      throw new BentoError(
        'GROUP_CONFLICT',
        `core: cannot subscribe group "${group}" to "${overlap.join('", "')}": this bus has a subscription of that group there. ` +
          'Put the handlers behind one dispatcher (@bento-bus/dispatcher), or use another group.',
      );
    }
    for (const topic of topics) taken.add(topic);
    this.#taken.set(group, taken);
  }

  #release(group: string, topics: readonly string[]): void {
    const taken = this.#taken.get(group);
    for (const topic of topics) taken?.delete(topic);
    if (taken?.size === 0) this.#taken.delete(group);
  }
}

/** What nobody asked for. */
interface Ignored {
  count: number;
  readonly take: (delivery: Delivery) => void;
}

function reported({ closed, close }: Running, ignored: Ignored): BusSubscription {
  return {
    closed,
    get ignored() {
      return ignored.count;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const isSelector = (one: TopicSelector | EventDefinition): one is TopicSelector =>
  typeof one === 'string' || one instanceof RegExp;

/** Undefined: these are event definitions. */
function selectorsOf(what: Subscribed): readonly TopicSelector[] | undefined {
  if (typeof what === 'string' || what instanceof RegExp) return [what];
  return what.length > 0 && what.every(isSelector) ? what : undefined;
}

/** A subscription of the transport, with a close that may be called at will. */
interface Running {
  readonly closed: Promise<void>;
  readonly close: () => Promise<void>;
}

const topicsOf = (definitions: ReadonlyMap<string, EventDefinition>): readonly string[] => [
  ...new Set([...definitions.values()].map(({ topic }) => topic)),
];

function definitionsByType(
  definitions: readonly EventDefinition[],
  group: string,
): ReadonlyMap<string, EventDefinition> {
  const byType = new Map<string, EventDefinition>();
  const faults: string[] = [];
  if (definitions.length === 0) faults.push('name at least one event definition');
  for (const definition of definitions) {
    const { type } = definition;
    const known = byType.get(type);
    if (known !== undefined)
      faults.push(`"${type}" is named twice, as defined for "${known.topic}" and for "${definition.topic}"`);
    byType.set(type, definition);
  }
  if (faults.length > 0) throw configurationError(`core: cannot subscribe group "${group}"`, faults);
  return byType;
}

const closedError = (group: string): BentoError =>
  new BentoError('CLOSED', `core: cannot subscribe group "${group}": the bus is closed. Subscribe before close().`);
