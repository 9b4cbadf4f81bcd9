import type { Delivery, DeliveryHandler, Message, SubscriptionContext } from '@bento-bus/core';
import { BentoError, headerNames } from '@bento-bus/core';
import { isOversize } from '@bento-bus/core/adapter';
import { describeError } from '../failure.ts';
import { failureHeaders as names, withoutMarks } from '../headers.ts';
import { type DeadLetterReason, type Failure, originHeaders } from '../history.ts';
import { retryTopic } from '../names.ts';
import type { ParkedFailure, ParkedMessage, ParkingPlace, ParkingStore } from './store.ts';

/** A delayed try of a parked message. */
interface Again {
  readonly failure: Pick<Failure, 'attempts' | 'delays' | 'firstFailed'>;
  readonly dueAt: number;
}

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
  /** In a batch several of one key ask at the same time: they ask one after the other. */
  readonly #asking = new Map<string, Promise<boolean>>();

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
        if (!(await this.#isKept(place, delivery))) await next(delivery, signal);
        return;
      }
      const head = await own(this.#store.head(place, turn.sequence));
      if (head === undefined) return;
      if (head.index === turn.index) {
        await next(delivery, signal);
        await own(
          this.#store.drained(place, turn.sequence, turn.index).then((following) => this.#follow(place, following)),
        );
      }
      // A copy of what has been handled: its process may have died before it published the next one.
      else await own(this.#follow(place, head));
    };
  }

  /** Whether it is parked, behind others of its key. Those of one key are asked for in their order, and none once an earlier one failed. */
  async #isKept(place: ParkingPlace, delivery: Delivery): Promise<boolean> {
    const ask = (): Promise<boolean> => own(this.#keep(place, delivery));
    const before = this.#asking.get(place.key);
    const asked = before === undefined ? ask() : before.then(ask);
    this.#asking.set(place.key, asked);
    try {
      return await asked;
    } finally {
      if (this.#asking.get(place.key) === asked) this.#asking.delete(place.key);
    }
  }

  async #keep(place: ParkingPlace, delivery: Delivery): Promise<boolean> {
    const { group, origin } = this.#subscription;
    const sequence = (await this.#store.open(group, origin)).get(place.key);
    if (sequence === undefined || !(await this.#store.add(place, sequence, partsOf(delivery)))) return false;
    const head = await this.#store.head(place, sequence);
    const { source, id } = delivery.message;
    // Parked before, as the first: its process may have died before it published its next try.
    if (head?.failure !== undefined && head.message.id === id && head.message.source === source)
      await this.#tryLater(place, head, { ...head.failure, delays: 0 });
    return true;
  }

  /** Parks what failed; the head tries again after the next of the delays, if there is one. */
  async park(delivery: Delivery, failure: Failure, reason: DeadLetterReason): Promise<void> {
    const place = this.#placeOf(delivery);
    const stored = storedFailure(failure, reason);
    const turn = this.#turnOf(delivery);
    if (turn !== undefined) await this.#store.failed(place, turn.sequence, turn.index, stored);
    const parked = turn ?? (await this.#store.begin(place, partsOf(delivery), stored));
    const head = parked && (await this.#store.head(place, parked.sequence));
    if (head !== undefined && head.index === parked?.index)
      await this.#tryLater(place, head, { ...stored, delays: failure.delays });
    // What has just begun behind others has its turn when they are done.
    else if (turn !== undefined) await this.#follow(place, head);
  }

  /** After the next of the delays; when there is none, somebody has to redrive it. */
  async #tryLater(
    place: ParkingPlace,
    head: ParkedMessage,
    failure: ParkedFailure & { readonly delays: number },
  ): Promise<void> {
    const delay = failure.reason === 'not-retryable' ? undefined : this.#delays[failure.delays];
    if (delay !== undefined) await this.#publish(place, head, { failure, dueAt: this.#subscription.now() + delay });
  }

  /** The next one has its turn at once, as for the first time. */
  async #follow(place: ParkingPlace, next: ParkedMessage | undefined): Promise<void> {
    if (next !== undefined) await this.#publish(place, next);
  }

  async #publish({ topic, group }: ParkingPlace, parked: ParkedMessage, again?: Again): Promise<void> {
    const copy = turnMessage(parked, { topic, group }, again);
    try {
      await this.#subscription.publisher.publish(retryTopic(topic, group), [copy]);
    } catch (error) {
      // With its headers it is larger than the backend takes. It stays parked, where `listParked` shows it.
      if (!isOversize(error)) throw error;
    }
  }

  #turnOf({ message }: Delivery): Turn | undefined {
    const { topic, origin } = this.#subscription;
    return topic === origin ? undefined : turnOf(message);
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
  again?: Again,
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

/** The parking or the retry topic is away: no fault of the message, which comes again. */
async function own<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BentoError(
      'ABORTED',
      `dlq: cannot keep the order of the message's key: ${reason} The message stays unacknowledged and comes again. See to the parking store.`,
      true,
      { cause },
    );
  }
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
