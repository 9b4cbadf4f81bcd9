import {
  type Codec,
  type Delivery,
  decodeEvent,
  type EventDefinition,
  headerNames,
  isPromise,
  type MaybePromise,
  type Position,
  type StoredEvent,
  type StreamId,
} from '@bento-bus/core';
import { fault } from './fault.ts';
import { isWellFormed } from './well-formed.ts';

/** What is known of an event without reading its data. */
export interface EventPlace {
  readonly id: string;
  readonly type: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly stream: StreamId;
  readonly streamVersion: number;
  readonly position: Position;
}

/** An event on its way into projections, from the store or from a topic. Its data is read late, and once for all projections that agree on the definition. */
export class PlacedEvent {
  readonly place: EventPlace;
  readonly #eventVersion: number;
  readonly #data: () => MaybePromise<unknown>;
  #read: { readonly definition: EventDefinition; readonly data: MaybePromise<unknown> } | undefined;

  constructor(place: EventPlace, eventVersion: number, data: () => MaybePromise<unknown>) {
    this.place = place;
    this.#eventVersion = eventVersion;
    this.#data = data;
  }

  /** The data at the definition's version, validated. Throws or rejects with what refuses it. */
  read(definition: EventDefinition): MaybePromise<unknown> {
    if (this.#read?.definition === definition) return this.#read.data;
    const raw = this.#data();
    const decode = (value: unknown): MaybePromise<unknown> => decodeEvent(definition, this.#eventVersion, value);
    const data = isPromise(raw) ? raw.then((value) => decode(value)) : decode(raw);
    this.#read = { definition, data };
    return data;
  }
}

/** An event of the store. */
export const ofStored = (event: StoredEvent): PlacedEvent =>
  new PlacedEvent(event, event.eventVersion, () => event.data);

/**
 * An event that the relay has published. Throws a `VALIDATION` error for a message without the relay's headers: nobody could say where it
 * belongs.
 */
export function ofDelivery(delivery: Delivery, codec: Codec): PlacedEvent {
  const { topic, message } = delivery;
  const { body, headers, id, time, type } = message;
  const stream = { type: headers[headerNames.streamType] ?? '', id: headers[headerNames.streamId] ?? '' };
  const streamVersion = Number(headers[headerNames.streamVersion]);
  const version = Number(headers[headerNames.eventVersion]);
  const position = headers[headerNames.position] ?? '';
  const numbers = [streamVersion, version].every((number) => Number.isSafeInteger(number) && number > 0);
  const names = [stream.type, stream.id, position].every((name) => name !== '' && isWellFormed(name));
  if (!numbers || !names) {
    const cause =
      'it has no place in a stream (headers ce_stream… and ce_position). Let the relay publish what is projected';
    throw fault('VALIDATION', `project message "${id}" of "${topic}"`, cause);
  }
  return new PlacedEvent({ id, type, time, stream, streamVersion, position }, version, () => {
    if (body) return codec.decode(body, { topic, type, version, headers });
    throw fault('VALIDATION', `project message "${id}" of "${topic}"`, 'it has no body');
  });
}
