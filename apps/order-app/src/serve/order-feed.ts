import type { Closeable, EventStore, Logger, Position, ReadModelPort, StoredEvent } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { printMoney } from '../domain/money.ts';
import { Order } from '../domain/order.ts';
import { orders } from '../read-model/models.ts';

/** One event of an order that the read model has taken in. */
interface OrderNews {
  readonly type: string;
  /** Of the event. */
  readonly id: string;
  readonly orderId: string;
  readonly time: string;
  readonly country: string;
  readonly status: string;
  readonly total: string;
  /** In the log: who gives it back gets what came after it. */
  readonly position: Position;
}

/** What happens to orders, as the read model learns it, of all processes on the store. */
export interface OrderFeed extends Closeable {
  /**
   * Calls `send` with each event from now on, in the order of the log; or with what came after `after`, as far as {@link mostMissed}
   * events. Returns what ends that.
   */
  follow(after: Position | undefined, send: (news: OrderNews) => void): () => void;
  /** The log may have grown. */
  wake(): void;
}

/** Events that one who comes back is told at most. */
const mostMissed = 1_000;
const pageSize = 500;
/** How often commits of other processes are looked for, while somebody follows. Milliseconds. */
const pollMs = 250;
/** An event that the read model has not taken in by then has failed there, and is passed over. Milliseconds. */
const patienceMs = 5_000;
/** Between two looks at rows that are behind. Milliseconds. */
const lookMs = 25;

interface Follower {
  readonly send: (news: OrderNews) => void;
  /** What came while it is told what it missed; undefined: it is up to date. */
  waiting: OrderNews[] | undefined;
}

/** Reads the log while somebody follows, and nothing else. */
export function createOrderFeed(store: EventStore, readModels: ReadModelPort, logger: Logger): OrderFeed {
  const followers = new Set<Follower>();
  let isClosed = false;
  let wakeUp: (() => void) | undefined;
  let reading: Promise<void> | undefined;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const isNeeded = (): boolean => followers.size > 0 && !isClosed;

  /** Until nobody follows any more. A store that is away is asked again. */
  const read = async (): Promise<void> => {
    let position: Position | undefined;
    while (isNeeded()) {
      try {
        position ??= await store.head();
        const page = await pageAfter(store, position, pageSize);
        for (const news of await projected(readModels, page)) for (const one of followers) tell(one, news);
        position = page.at(-1)?.position ?? position;
        if (page.length < pageSize) await pause(pollMs);
      } catch (error) {
        logger.warn('the stream of orders cannot be read', { error });
        await pause(pollMs * 4);
      }
    }
  };

  const tell = ({ send, waiting }: Follower, news: OrderNews): void => {
    if (waiting === undefined) send(news);
    else waiting.push(news);
  };

  const tellMissed = async (follower: Follower, after: Position): Promise<void> => {
    let last = after;
    try {
      for (const news of await projected(readModels, await pageAfter(store, after, mostMissed))) {
        if (!followers.has(follower)) return;
        follower.send(news);
        last = news.position;
      }
    } catch (error) {
      // It is no position of this log: it is told what comes.
      logger.debug('what was missed cannot be told', { after, error });
    }
    const waited = follower.waiting ?? [];
    follower.waiting = undefined;
    for (const news of waited) if (news.position > last) follower.send(news);
  };

  return {
    follow(after, send) {
      const follower: Follower = { send, waiting: after === undefined ? undefined : [] };
      followers.add(follower);
      reading ??= read().finally(() => {
        reading = undefined;
      });
      if (after !== undefined) void tellMissed(follower, after);
      return () => void followers.delete(follower);
    },
    wake: () => wakeUp?.(),
    ...closeOnce(async () => {
      isClosed = true;
      followers.clear();
      wakeUp?.();
      await reading;
    }),
  };
}

async function pageAfter(store: EventStore, after: Position, limit: number): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const event of store.readAll(after, { limit })) events.push(event);
  return events;
}

const statusAfter: Readonly<Record<string, string>> = {
  'order.placed': 'placed',
  'order.paid': 'paid',
  'order.shipped': 'shipped',
  'order.cancelled': 'cancelled',
  'order.refunded': 'refunded',
};

/** Events of orders, once the rows have them. */
async function projected(readModels: ReadModelPort, events: readonly StoredEvent[]): Promise<OrderNews[]> {
  const ofOrders = events.filter(({ stream }) => stream.type === Order.streamType);
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const keys = [...new Set(ofOrders.map(({ stream }) => stream.id))].map((orderId) => ({ orderId }));
    const found = keys.length === 0 ? [] : await readModels.get(orders, keys);
    const rows = new Map(found.map((version) => [version.row.orderId, version]));
    const isIn = ({ stream, streamVersion }: StoredEvent): boolean =>
      (rows.get(stream.id)?.streamVersion ?? 0) >= streamVersion;
    if (ofOrders.every(isIn) || performance.now() > deadline)
      return ofOrders.filter(isIn).map((event) => {
        const { country = '', total = '0' } = rows.get(event.stream.id)?.row ?? {};
        const { id, type, time, position, stream } = event;
        const status = statusAfter[type] ?? '';
        return {
          type,
          id,
          orderId: stream.id,
          time: new Date(time).toISOString(),
          country,
          status,
          total: printMoney(total),
          position,
        };
      });
    await new Promise((resolve) => {
      setTimeout(resolve, lookMs);
    });
  }
}
