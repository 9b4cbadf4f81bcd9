import { closeAll, closeOnce } from './adapter/drain.ts';
import type { Codec } from './codec.ts';
import { configurationError } from './configuration.ts';
import { BentoError } from './errors.ts';
import { topicHandler, typedHandler } from './event-handler.ts';
import type { EventDefinition } from './events.ts';
import type { Logger } from './logger.ts';
import type { BusSubscribeOptions, BusSubscription, EventHandler } from './message-bus.ts';
import type { Middleware } from './middleware.ts';
import type { DeliveryHandler, Subscriber, Subscription } from './transport.ts';

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

  async open(
    what: string | readonly EventDefinition[],
    handler: EventHandler<never>,
    options: BusSubscribeOptions,
  ): Promise<BusSubscription> {
    if (this.closed) throw closedError(options.group);
    let ignored = 0;
    const definitions = typeof what === 'string' ? undefined : definitionsByType(what, options.group);
    const topics = definitions === undefined ? [what as string] : topicsOf(definitions);
    const innermost =
      definitions === undefined
        ? topicHandler(what as string, this.#codec, handler)
        : typedHandler(definitions, this.#codec, handler, ({ topic, message }) => {
            ignored += 1;
            this.#logger.debug('acknowledged a message whose type nobody asked for', {
              topic,
              type: message.type,
              messageId: message.id,
              group: options.group,
            });
          });
    const subscription = await this.#start(topics, innermost, options);
    return {
      closed: subscription.closed,
      get ignored() {
        return ignored;
      },
      close: subscription.close,
      [Symbol.asyncDispose]: subscription.close,
    };
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.#opening);
    await closeAll([...this.#open].map((subscription) => subscription.close));
  }

  async #start(topics: readonly string[], innermost: DeliveryHandler, options: BusSubscribeOptions): Promise<Running> {
    const { group } = options;
    this.#take(group, topics);
    const release = (): void => this.#release(group, topics);
    const opening = this.#subscriber.subscribe(topics, innermost, {
      ...options,
      use: [...this.#use, ...(options.use ?? [])],
    });
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
