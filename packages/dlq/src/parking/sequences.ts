import type { Delivery, DeliveryHandler, Message, SubscriptionContext } from '@bento-bus/core';
import { headerNames } from '@bento-bus/core';
import { describeError } from '../failure.ts';
import { failureHeaders as names, withoutMarks } from '../headers.ts';
import { type DeadLetterReason, type Failure, originHeaders } from '../history.ts';
import { retryTopic } from '../names.ts';
import type { ParkedFailure, ParkedMessage, ParkingPlace, ParkingStore } from './store.ts';

/** A copy of a parked message on the retry topic. */
interface Turn {
  readonly sequence: string;
  readonly index: number;
}

/**
 * `sequence: 'key'`: keeps what comes behind a parked message of its key, and takes the parked ones in turn. Copies of the head travel by
 * the retry topic, one at a time; what has been handled already is passed over, so a copy that comes twice does no harm.
 */
export class Sequences {
  readonly #store: ParkingStore;
  readonly #subscription: SubscriptionContext;
  readonly #delays: readonly number[];

  constructor(store: ParkingStore, subscription: SubscriptionContext, delays: readonly number[]) {
    this.#store = store;
    this.#subscription = subscription;
    this.#delays = delays;
  }

  /** Calls the handler for what has its turn. On the origin nothing is a copy, whatever its headers say. */
  around(next: DeliveryHandler): DeliveryHandler {
    return async (delivery, signal) => {
      const place = this.#placeOf(delivery);
      const turn = this.#turnOf(delivery);
      if (turn === undefined) {
        const sequence = (await this.#open()).get(place.key);
        if (sequence !== undefined && (await this.#store.add(place, sequence, partsOf(delivery)))) return;
        await next(delivery, signal);
        return;
      }
      const head = await this.#store.head(place, turn.sequence);
      if (head === undefined) return;
      if (head.index === turn.index) {
        await next(delivery, signal);
        await this.#follow(place, await this.#store.drained(place, turn.sequence, turn.index));
      }
      // A copy of what has been handled: its process may have died before it published the next one.
      else await this.#follow(place, head);
    };
  }

  /** Parks what failed; the head tries again after the next of the delays, if there is one. */
  async park(delivery: Delivery, failure: Failure, reason: DeadLetterReason): Promise<void> {
    const place = this.#placeOf(delivery);
    const stored = storedFailure(failure, reason);
    const turn = this.#turnOf(delivery);
    let head: ParkedMessage | undefined;
    if (turn === undefined) head = await this.#store.begin(place, partsOf(delivery), stored);
    else {
      await this.#store.failed(place, turn.sequence, turn.index, stored);
      head = await this.#store.head(place, turn.sequence);
      if (head?.index !== turn.index) {
        if (head !== undefined) await this.#follow(place, head);
        return;
      }
    }
    const delay = reason === 'not-retryable' ? undefined : this.#delays[failure.delays];
    // Behind others it has its turn when they are done.
    const isHead = head !== undefined && (await this.#store.head(place, head.sequence))?.index === head.index;
    if (head !== undefined && delay !== undefined && isHead)
      await this.#publish(place, head, { failure, dueAt: this.#subscription.now() + delay });
  }

  /** The next one has its turn at once, as for the first time. */
  async #follow(place: ParkingPlace, next: ParkedMessage | undefined): Promise<void> {
    if (next !== undefined) await this.#publish(place, next);
  }

  async #publish(
    { topic, group }: ParkingPlace,
    parked: ParkedMessage,
    again?: { readonly failure: Failure; readonly dueAt: number },
  ): Promise<void> {
    await this.#subscription.publisher.publish(retryTopic(topic, group), [
      turnMessage(parked, { topic, group }, again),
    ]);
  }

  #turnOf({ message }: Delivery): Turn | undefined {
    const { topic, origin } = this.#subscription;
    return topic === origin ? undefined : turnOf(message);
  }

  #open(): Promise<ReadonlyMap<string, string>> {
    const { group, origin } = this.#subscription;
    return this.#store.open(group, origin);
  }

  #placeOf({ message }: Delivery): ParkingPlace {
    const { group, origin } = this.#subscription;
    return { group, topic: origin, key: message.key ?? message.id };
  }
}

/** The copy of a parked message that gives it its turn. */
export function turnMessage(
  { sequence, index, message, position, failure: stored }: ParkedMessage,
  { topic, group }: { readonly topic: string; readonly group: string },
  again?: { readonly failure: Failure; readonly dueAt: number },
): Message {
  const firstFailed = again?.failure.firstFailed ?? stored?.firstFailed;
  return {
    ...message,
    // Without a key its id is the key: of the copy, too.
    key: message.key ?? message.id,
    headers: {
      ...withoutMarks(message.headers),
      ...originHeaders({ originTopic: topic, originPosition: position }, group),
      [names.parked]: `${sequence}:${index}`,
      ...(firstFailed !== undefined && { [names.firstFailed]: String(firstFailed) }),
      ...(again && {
        [headerNames.deliverAt]: String(Math.ceil(again.dueAt)),
        [names.attempts]: String(again.failure.attempts),
        [names.delays]: String(again.failure.delays + 1),
      }),
    },
  };
}

function turnOf({ headers }: Message): Turn | undefined {
  const text = headers[names.parked];
  const colon = text?.lastIndexOf(':') ?? -1;
  if (text === undefined || colon < 0) return undefined;
  return { sequence: text.slice(0, colon), index: Number(text.slice(colon + 1)) };
}

const partsOf = ({ message, position }: Delivery): { readonly message: Message; readonly position: string } => ({
  message: { ...message, headers: withoutMarks(message.headers) },
  position,
});

function storedFailure(failure: Failure, reason: DeadLetterReason): ParkedFailure {
  const { code, message: error, stack } = describeError(failure.error);
  const { attempts, firstFailed, lastFailed } = failure;
  return { reason, code, error, stack, attempts, firstFailed, lastFailed };
}
