import {
  type CheckpointedItem,
  type Codec,
  type CodecContext,
  decodeEvent,
  type Encoded,
  type EventCatalogue,
  type EventDefinition,
  headerNames,
  isBentoError,
  isPromise,
  type Logger,
  type MaybePromise,
  type Message,
  type StoredEvent,
} from '@bento-bus/core';
import { fault, reasonOf } from './fault.ts';
import { streamName } from './streams.ts';

/** The definitions of several catalogues by type. The same type in two of them, with two definitions, is a `CONFIGURATION` error. */
export function definitionsOf(catalogues: readonly EventCatalogue[], what: string): Map<string, EventDefinition> {
  const definitions = new Map<string, EventDefinition>();
  for (const definition of catalogues.flatMap((catalogue) => Object.values(catalogue))) {
    const known = definitions.get(definition.type) ?? definition;
    if (known !== definition) {
      throw fault('CONFIGURATION', what, `two catalogues define "${definition.type}". Name each type once`);
    }
    definitions.set(definition.type, definition);
  }
  return definitions;
}

/** Whether an event stays inside its store, whatever the catalogues say. */
const isInternal = (event: StoredEvent): boolean => event.stream.type.startsWith('$') || event.type.startsWith('$');

/** What the relay needs to make messages. */
export interface MessageOptions {
  readonly codec: Codec;
  readonly source: string;
  /** Identity of the store. */
  readonly log: string;
  readonly logger: Logger;
}

/**
 * A stored event as the message that travels: the body is the data as stored, at the schema version it was stored with; readers upcast
 * and validate.
 */
export async function messageOf(
  event: StoredEvent,
  definition: EventDefinition,
  { codec, log, logger, source }: MessageOptions,
): Promise<Message> {
  const { eventVersion, id, metadata = {}, position, stream, streamVersion, time, type } = event;
  const headers: Record<string, string> = {
    [headerNames.contentType]: codec.contentType,
    [headerNames.eventVersion]: String(eventVersion),
    [headerNames.log]: log,
    [headerNames.position]: position,
    [headerNames.streamType]: stream.type,
    [headerNames.streamId]: stream.id,
    [headerNames.streamVersion]: String(streamVersion),
  };
  const carried = {
    [headerNames.correlationId]: metadata['correlationId'],
    [headerNames.causationId]: metadata['causationId'],
    [headerNames.traceparent]: metadata['traceparent'],
    [headerNames.tracestate]: metadata['tracestate'],
  };
  for (const [name, value] of Object.entries(carried)) if (value !== undefined) headers[name] = value;
  const encoded = await encode(event, codec, { topic: definition.topic, type, version: eventVersion, headers });
  const key = await keyOf(event, definition, logger);
  return { id, type, source, time, key, headers: { ...headers, ...encoded.headers }, body: encoded.body };
}

/** What of a page of the log travels, and where to. */
export async function itemsOf(
  page: readonly StoredEvent[],
  definitions: ReadonlyMap<string, EventDefinition>,
  options: MessageOptions,
): Promise<CheckpointedItem[]> {
  const items: CheckpointedItem[] = [];
  for (const event of page) {
    const definition = isInternal(event) ? undefined : definitions.get(event.type);
    if (!definition) continue;
    const message = await messageOf(event, definition, options);
    items.push({ topic: definition.topic, message, position: event.position });
  }
  return items;
}

async function encode({ data, position, stream }: StoredEvent, codec: Codec, context: CodecContext): Promise<Encoded> {
  try {
    return await codec.encode(data, context);
  } catch (cause) {
    if (isBentoError(cause) && cause.retryable) throw cause;
    const what = `publish "${context.type}" of "${streamName(stream)}" at "${position}"`;
    throw fault('CODEC', what, `the codec refuses it (${reasonOf(cause)}). Mend the codec; nothing is lost`, { cause });
  }
}

/**
 * The definition's key, or the stream id. An event that its own definition refuses keeps its place behind the stream id: its readers
 * refuse it too and have a way for that, and the log behind it goes on.
 */
async function keyOf(event: StoredEvent, definition: EventDefinition, logger: Logger): Promise<string> {
  const { stream } = event;
  if (!definition.key) return stream.id;
  try {
    const data: MaybePromise<unknown> = decodeEvent(definition, event.eventVersion, event.data);
    return definition.key(isPromise(data) ? await data : data);
  } catch (error) {
    const fields = { position: event.position, messageId: event.id, stream: streamName(stream), error };
    logger.error(`the key of "${event.type}" cannot be found (${reasonOf(error)}); the stream id is taken`, fields);
    return stream.id;
  }
}
