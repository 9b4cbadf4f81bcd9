import { type EventCatalogue, type EventDefinition, headerNames } from '@bento-bus/core';
import { compareText, type DescribedEvent, describe, type JsonSchema, type JsonSchemaOptions } from './json-schemas.ts';
import { messageHeaders } from './message-headers.ts';
import { withRefsBelow } from './refs.ts';

/** A server of the document, as AsyncAPI 3.0 writes it; `host` may have a port. */
export interface AsyncApiServer {
  readonly host: string;
  /** Such as `kafka`, `kafka-secure`, `pulsar`, `pulsar+ssl`. */
  readonly protocol: string;
  readonly description?: string;
  readonly [field: string]: unknown;
}

/** What the document says besides the events. */
export interface AsyncApiOptions extends JsonSchemaOptions {
  /** Name of the application or of the API. */
  readonly title: string;
  /** Of the API, not of AsyncAPI. */
  readonly version: string;
  readonly description?: string;
  /** By name. @default none */
  readonly servers?: Readonly<Record<string, AsyncApiServer>>;
  /** What the application does on the topics. @default `['send', 'receive']` */
  readonly actions?: readonly ('send' | 'receive')[];
  /** Of the bodies: the codec's. @default `application/json` */
  readonly contentType?: string;
  /** Where the topics lie in Pulsar, for its bindings. @default none: no bindings of Pulsar */
  readonly pulsar?: { readonly namespace: string; readonly persistence?: 'persistent' | 'non-persistent' };
}

/** An AsyncAPI 3.0.0 document: plain data, ready for `JSON.stringify`. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly defaultContentType: string;
  readonly servers?: Readonly<Record<string, AsyncApiServer>>;
  readonly channels: Readonly<Record<string, AsyncApiChannel>>;
  readonly operations: Readonly<Record<string, JsonSchema>>;
  readonly components: {
    readonly messages: Readonly<Record<string, AsyncApiMessage>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
  };
}

/** A topic. */
export interface AsyncApiChannel {
  readonly address: string;
  /** References by name. */
  readonly messages: Readonly<Record<string, { readonly $ref: string }>>;
  readonly bindings?: JsonSchema;
}

/** One version of an event type. */
export interface AsyncApiMessage {
  /** The event type. */
  readonly name: string;
  readonly title: string;
  readonly contentType: string;
  readonly headers: JsonSchema;
  readonly correlationId: { readonly location: string; readonly description: string };
  readonly payload: { readonly $ref: string };
  readonly bindings: JsonSchema;
  readonly 'x-version': number;
}

/**
 * The AsyncAPI 3.0 document of catalogues: topics are channels, each version of an event type is a message with its headers
 * (CloudEvents 1.0, binary mode), key and payload. Payloads are JSON Schemas (draft-07, the dialect of AsyncAPI's own schemas) of what
 * travels, which is the schema's input; with Avro and Protobuf they describe the values, and the codec's schemas the bytes.
 *
 * The same catalogues give the same document, whatever their order. Throws a `CONFIGURATION` error as `jsonSchemas` does.
 */
export function asyncApi(catalogues: readonly EventCatalogue[], options: AsyncApiOptions): AsyncApiDocument {
  const {
    title,
    version,
    description,
    servers,
    actions = ['send', 'receive'],
    contentType = 'application/json',
  } = options;
  const events = describe(catalogues, 'draft-07', options);
  const topics = [...new Set(events.map(({ definition }) => definition.topic))].toSorted(compareText);
  const channelOf = uniqueNames(topics);
  const names = uniqueNames(events.map(keyOf));
  const nameOf = (event: DescribedEvent): string => names(keyOf(event));
  const on = (topic: string): DescribedEvent[] => events.filter(({ definition }) => definition.topic === topic);

  const channels = topics.map((topic): [string, AsyncApiChannel] => [
    channelOf(topic),
    {
      address: topic,
      messages: Object.fromEntries(
        on(topic).map((event) => [nameOf(event), { $ref: `#/components/messages/${nameOf(event)}` }]),
      ),
      ...(options.pulsar && {
        bindings: {
          pulsar: {
            ...options.pulsar,
            persistence: options.pulsar.persistence ?? 'persistent',
            bindingVersion: '0.1.0',
          },
        },
      }),
    },
  ]);
  const operations = topics.flatMap((topic) =>
    actions.map((action): [string, JsonSchema] => [
      `${action}.${channelOf(topic)}`,
      {
        action,
        channel: { $ref: `#/channels/${channelOf(topic)}` },
        messages: on(topic).map((event) => ({ $ref: `#/channels/${channelOf(topic)}/messages/${nameOf(event)}` })),
      },
    ]),
  );
  return {
    asyncapi: '3.0.0',
    info: { title, version, ...(description !== undefined && { description }) },
    defaultContentType: contentType,
    ...(servers && { servers }),
    channels: Object.fromEntries(channels),
    operations: Object.fromEntries(operations),
    components: {
      messages: Object.fromEntries(
        events.map((event) => [nameOf(event), messageOf(event.definition, nameOf(event), contentType)]),
      ),
      schemas: Object.fromEntries(events.map((event) => [nameOf(event), payloadOf(event.schema, nameOf(event))])),
    },
  };
}

const keyOf = ({ definition: { type, version } }: DescribedEvent): string => `${type}.v${version}`;

function messageOf(definition: EventDefinition, name: string, contentType: string): AsyncApiMessage {
  const { type, version } = definition;
  const keyed = definition.key !== undefined;
  const key = {
    type: 'string',
    description: keyed
      ? 'Messages of one key are handled in order.'
      : "The message's id: these messages have no order.",
  };
  return {
    name: type,
    title: `${type}, version ${version}`,
    contentType,
    headers: messageHeaders(type, version, contentType),
    correlationId: {
      location: `$message.header#/${headerNames.correlationId}`,
      description: 'Id of the message that began the conversation; without it the message began one.',
    },
    payload: { $ref: `#/components/schemas/${name}` },
    bindings: { kafka: { key, bindingVersion: '0.5.0' } },
    'x-version': version,
  };
}

/** The schema as a part of the document: without a dialect of its own, and with references that begin at the document. */
function payloadOf(schema: JsonSchema, name: string): JsonSchema {
  const parts = Object.entries(schema).filter(([keyword]) => keyword !== '$schema');
  return withRefsBelow(Object.fromEntries(parts), `#/components/schemas/${name}`);
}

/** Names of components: letters, digits, `.`, `-` and `_`. Other characters become `_`; two that would be one are numbered. */
function uniqueNames(given: readonly string[]): (name: string) => string {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const one of given) {
    const plain = one.replaceAll(/[^A-Za-z0-9._-]/gu, '_');
    let name = plain;
    for (let n = 2; taken.has(name); n += 1) name = `${plain}_${n}`;
    taken.add(name);
    names.set(one, name);
  }
  return (name) => names.get(name) as string;
}
