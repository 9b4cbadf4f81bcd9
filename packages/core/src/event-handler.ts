import type { MaybePromise } from './buses.ts';
import type { Codec } from './codec.ts';
import type { BusEvent, EventDefinition } from './events.ts';
import { headerNames } from './headers.ts';
import type { Delivery, Message } from './message.ts';
import type { EventContext, EventHandler } from './message-bus.ts';
import type { DeliveryHandler } from './transport.ts';
import { decodeEvent, isPromise } from './validation.ts';

/** Nothing to wait for. */
const done: Promise<void> = Promise.resolve();

/**
 * The innermost handler of a subscription: decodes, upcasts, validates and calls, so that a refusal of the codec or the schema reaches
 * the middleware as a handler's failure does. Types without a definition go to `ignore` and are acknowledged.
 */
export function typedHandler(
  definitions: ReadonlyMap<string, EventDefinition>,
  codec: Codec,
  handler: EventHandler<never>,
  ignore: (delivery: Delivery) => void,
): DeliveryHandler {
  return (delivery, signal) => {
    const definition = definitions.get(delivery.message.type);
    if (definition === undefined) {
      ignore(delivery);
      return done;
    }
    try {
      return call(handler, decodeTyped(definition, codec, delivery.message), delivery, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** The same for everything on a topic, or on any (undefined), without schema: data as the codec reads it. */
export function topicHandler(topic: string | undefined, codec: Codec, handler: EventHandler<never>): DeliveryHandler {
  return (delivery, signal) => {
    try {
      const { message } = delivery;
      return call(
        handler,
        decodeBody(codec, message, topic ?? delivery.topic, versionOf(message, 1)),
        delivery,
        signal,
      );
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

/** The data of a message as its definition says: decoded, upcast, validated. */
export function decodeTyped(definition: EventDefinition, codec: Codec, message: Message): MaybePromise<unknown> {
  const version = versionOf(message, definition.version);
  // The topic of the definition: what comes by a retry topic has the schemas of the topic it came from.
  const body = decodeBody(codec, message, definition.topic, version);
  return isPromise(body)
    ? body.then((settled) => decodeEvent(definition, version, settled))
    : decodeEvent(definition, version, body);
}

/** Schema version of the body; messages of other producers have none and count as `missing`. Validation refuses what is no version. */
function versionOf({ headers }: Message, missing: number): number {
  const text = headers[headerNames.eventVersion];
  return text === undefined ? missing : Number(text);
}

/** A tombstone has no bytes to decode: its data is null. */
function decodeBody(codec: Codec, { type, headers, body }: Message, topic: string, version: number): unknown {
  return body === null ? null : codec.decode(body, { topic, type, version, headers });
}

function call(
  handler: EventHandler<never>,
  data: MaybePromise<unknown>,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<void> {
  if (isPromise(data)) return data.then((settled) => call(handler, settled, delivery, signal));
  return handler(eventOf(delivery, data) as never, contextOf(delivery, signal)) ?? done;
}

export function eventOf({ message: { type, id, time } }: Delivery, data: unknown): BusEvent {
  return { type, data, id, time };
}

export function contextOf({ topic, message, attempt, position }: Delivery, signal: AbortSignal): EventContext {
  const { id, key, headers } = message;
  const correlationId = headers[headerNames.correlationId] ?? id;
  // Two shapes, not a spread for each message.
  return key === undefined
    ? { id, topic, headers, attempt, position, correlationId, signal }
    : { id, topic, key, headers, attempt, position, correlationId, signal };
}
