import {
  type CheckpointedItem,
  type CheckpointedPublisher,
  type Closeable,
  canPublishCheckpointed,
  type EventDefinition,
  isBentoError,
  type Logger,
  type Position,
  silentLogger,
} from '@bento-bus/core';
import { type Backoff, closeOnce, deferred, fullJitter, withDeadline } from '@bento-bus/core/adapter';
import { fault, reasonOf } from './fault.ts';
import { pagesOf } from './pages.ts';
import { definitionsOf, itemsOf } from './relay-message.ts';
import { checkRelayOptions, type Relay, type RelayOptions, relayDefaults } from './relay-options.ts';
import { Waiter } from './waiter.ts';

/** Failures in a row on one publisher, after which the log is opened again; that takes it from whoever has it by then. */
const triesOnOnePublisher = 3;

class LogRelay implements Relay {
  readonly closed: Promise<void>;
  readonly #options: RelayOptions;
  readonly #logger: Logger;
  readonly #definitions: ReadonlyMap<string, EventDefinition>;
  readonly #backoff: Backoff;
  /** The pause between two looks at the store, and the pause after a fault: a commit ends only the first. */
  readonly #polling = new Waiter();
  readonly #recovering = new Waiter();
  readonly #abort = new AbortController();
  readonly #closeable: Closeable = closeOnce(() => this.#close());
  #closing = false;
  #publisher: CheckpointedPublisher | undefined;
  #starting: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();
  #failures = 0;
  #position: Position = '';
  #published = 0;
  #passedOver = 0;
  #resolveClosed = (): void => {};
  #rejectClosed = (_error: unknown): void => {};

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#logger = options.logger ?? silentLogger;
    this.#backoff = options.backoff ?? fullJitter({ baseMs: 100 });
    this.#definitions = definitionsOf(options.catalogues, 'make a relay');
    this.closed = new Promise((resolve, reject) => {
      this.#resolveClosed = resolve;
      this.#rejectClosed = reject;
    });
    // It is logged too: who does not look at `closed` must not lose the process.
    this.closed.catch(() => undefined);
  }

  get position(): Position {
    return this.#position;
  }

  start(): Promise<void> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = undefined;
      throw error;
    });
    return this.#starting;
  }

  wake(): void {
    this.#polling.wake();
  }

  close(): Promise<void> {
    return this.#closeable.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(): Promise<void> {
    const standby = deferred();
    const opening = this.#open(standby.resolve);
    // Whoever waits for `start` gets its error; one that comes when it stands by is met like any other.
    await Promise.race([opening, standby.promise]);
    this.#running = this.#run(opening).catch(async (error: unknown) => {
      this.#logger.error('the relay has stopped', { position: this.#position, error });
      await this.#dropPublisher();
      this.#rejectClosed(error);
    });
  }

  async #open(onStandby = (): void => {}): Promise<CheckpointedPublisher> {
    const { store, transport } = this.#options;
    if (!canPublishCheckpointed(transport)) {
      const cause = `the transport "${transport.name}" cannot publish a log exactly once. Choose one that can`;
      throw fault('UNSUPPORTED', 'start the relay', cause);
    }
    const topics = [...new Set([...this.#definitions.values()].map(({ topic }) => topic))];
    const head = await store.head();
    this.#assertOpen();
    const { signal } = this.#abort;
    const waiting = (): void => {
      this.#logger.info('another process publishes the log; this one stands by', { log: store.identity });
      onStandby();
    };
    this.#publisher = await transport.openCheckpointed(store.identity, {
      topics,
      head,
      signal,
      ...(this.#standsBy && { onStandby: waiting }),
    });
    this.#position = this.#publisher.resumeAfter;
    // Closed meanwhile, and perhaps past the deadline: nobody else would close it.
    if (this.#ended()) await this.#dropPublisher();
    this.#assertOpen();
    return this.#publisher;
  }

  async #run(first: Promise<CheckpointedPublisher>): Promise<void> {
    let opening: Promise<CheckpointedPublisher> | undefined = first;
    while (!this.#closing) {
      try {
        const opened = opening;
        opening = undefined;
        await this.#publishUpToHead(this.#publisher ?? (await (opened ?? this.#open())));
        if (!this.#ended()) await this.#polling.wait(this.#options.pollMs ?? relayDefaults.pollMs);
      } catch (error) {
        if (this.#ended()) break;
        const fenced = isBentoError(error, 'FENCED') && this.#standsBy;
        if (fenced) await this.#dropPublisher();
        else if (isBentoError(error) && !error.retryable) throw error;
        this.#failures += 1;
        const waitMs = this.#backoff(this.#failures, error);
        this.#logger.warn('publishing the log failed; it goes on from its checkpoint', {
          position: this.#position,
          failures: this.#failures,
          waitMs,
          error,
        });
        if (this.#failures >= triesOnOnePublisher) await this.#dropPublisher();
        await this.#recovering.wait(waitMs);
      }
    }
  }

  async #publishUpToHead(publisher: CheckpointedPublisher): Promise<void> {
    const { batchSize = relayDefaults.batchSize, codec, source, store } = this.#options;
    const pages = pagesOf(store, { after: this.#position, size: batchSize, signal: this.#abort.signal });
    for await (const page of pages) {
      const items = await itemsOf(page, this.#definitions, {
        codec,
        source,
        log: store.identity,
        logger: this.#logger,
      });
      const through = page.at(-1)?.position ?? this.#position;
      await this.#publish(publisher, items, through);
      this.#failures = 0;
      this.#position = through;
      this.#published += items.length;
      this.#passedOver += page.length - items.length;
      this.#report();
      if (this.#closing) return;
    }
  }

  async #publish(
    publisher: CheckpointedPublisher,
    items: readonly CheckpointedItem[],
    through: Position,
  ): Promise<void> {
    try {
      await publisher.publish(items, through);
    } catch (error) {
      if (!isBentoError(error, 'CLOSED')) throw error;
      // Not closed by us: the backend gave it up, and a new one goes on.
      await this.#dropPublisher();
      throw fault('PUBLISH', `publish up to "${through}"`, reasonOf(error), { cause: error, retryable: true });
    }
  }

  #report(): void {
    try {
      this.#options.onProgress?.({
        position: this.#position,
        published: this.#published,
        passedOver: this.#passedOver,
      });
    } catch (error) {
      this.#logger.error('onProgress failed; the relay goes on', { error });
    }
  }

  get #standsBy(): boolean {
    return this.#options.standby ?? relayDefaults.standby;
  }

  async #close(): Promise<void> {
    this.#closing = true;
    // Not publishing: there is nothing to finish.
    if (this.#publisher === undefined) this.#abort.abort();
    this.#polling.wake();
    this.#recovering.wake();
    const finished = Promise.allSettled([this.#starting]).then(() => this.#running);
    await withDeadline(finished, this.#options.drainMs ?? relayDefaults.drainMs, () => {
      this.#logger.warn('the batch at hand did not finish in time; the next start publishes it', {
        position: this.#position,
      });
      this.#abort.abort();
    });
    await this.#dropPublisher();
    this.#resolveClosed();
  }

  async #dropPublisher(): Promise<void> {
    const publisher = this.#publisher;
    this.#publisher = undefined;
    try {
      await publisher?.close();
    } catch (error) {
      this.#logger.warn('the publisher of the log could not be closed', { error });
    }
  }

  /** A method, since the compiler does not know that `close` can come between two lines. */
  #ended(): boolean {
    return this.#closing;
  }

  #assertOpen(): void {
    if (this.#closing) throw fault('CLOSED', 'open the log', 'the relay is closed. Make a new one');
  }
}

/**
 * The relay: the only publisher of a store's events, in commit order, each exactly once as far as the transport's checkpointed power
 * goes. It reads the store after its checkpoint, so a crash between commit and publish loses nothing and an old import is not
 * published again. Types that no catalogue has are passed over; those that begin with `$` always.
 *
 * The message has the event's id, type and time; its key is the definition's, else the stream id; its headers carry the position, the
 * stream and the version (`headerNames`), and correlation, causation and traceparent from the metadata.
 *
 * A fault that may pass is met with a backoff, and the log goes on from its checkpoint. What waiting does not mend stops the relay, since
 * to publish later events first would break the order: an event that the codec or the backend refuses. Of several processes one
 * publishes, the others stand by (see `standby`). An event is held back by nothing else: where its own definition refuses it, the stream id is its key.
 *
 * Two pages of `batchSize` events are in memory at most. A commit of this process should `wake()` it; other processes' commits are found
 * within `pollMs`.
 */
export function createRelay(options: RelayOptions): Relay {
  checkRelayOptions(options);
  return new LogRelay(options);
}
