import { BentoError, headerNames, type Message } from '@bento-bus/core';
import { dueTimeOf, type WireFormat, type WireHeaders, type WireValue } from '@bento-bus/core/adapter';
import type { Driver, EncodedMessage, IncomingMessage, OutgoingMessage } from '../driver.ts';

/** Marks a tombstone: Pulsar's payloads are empty at least. */
const tombstoneProperty = 'bento-null';

/** Messages as they go over the wire. */
export class Encoder {
  readonly #driver: Driver;
  readonly #format: WireFormat;
  readonly #limit: number;

  constructor(driver: Driver, format: WireFormat, limit: number) {
    this.#driver = driver;
    this.#format = format;
    this.#limit = limit;
  }

  /** Throws what is wrong with the message, before anything is sent. `extra` are properties beside its own. */
  encode(
    topic: string,
    message: Message,
    extra?: Readonly<Record<string, string>>,
  ): { readonly key: string; readonly message: EncodedMessage } {
    if (typeof message.id !== 'string' || message.id === '')
      throw new BentoError(
        'CONFIGURATION',
        `pulsar-adapter: cannot publish a message to "${topic}": it has no id. Give each message an id of its own.`,
      );
    const record = this.#format.encode(message);
    // Key_Shared needs a key.
    const key = record.key === undefined ? message.id : textOf(record.key);
    const properties = propertiesOf(record.headers);
    if (record.body === null) properties[tombstoneProperty] = '1';
    Object.assign(properties, extra);
    const deliverAt = dueTimeOf('pulsar-adapter', topic, message);
    // Whatever the format: consumers hold what comes early.
    if (deliverAt !== undefined) properties[headerNames.deliverAt] = String(deliverAt);
    const outgoing: OutgoingMessage = {
      key,
      properties,
      body: record.body ?? empty,
      deliverAt,
    };
    const encoded = this.#driver.encode(outgoing);
    if (encoded.bytes > this.#limit)
      throw new BentoError(
        'OVERSIZE',
        `pulsar-adapter: cannot publish message "${message.id}" to "${topic}": it takes ${encoded.bytes} bytes encoded, allowed are ${this.#limit}. Make it smaller, or raise maxMessageBytes and the broker's limit.`,
      );
    return { key, message: encoded };
  }
}

const empty = new Uint8Array(0);

const textOf = (value: WireValue): string => (typeof value === 'string' ? value : Buffer.from(value).toString('utf8'));

/** Pulsar's properties have one text a name: of several values the last. */
function propertiesOf(headers: WireHeaders): Record<string, string> {
  const properties: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    const one = isList(value) ? value.at(-1) : value;
    if (one !== undefined) properties[name] = textOf(one);
  }
  return properties;
}

const isList = (value: WireHeaders[string]): value is readonly WireValue[] => Array.isArray(value);

/** The body and headers of what came. */
export function contentOf({ properties, body }: IncomingMessage): {
  readonly headers: WireHeaders;
  readonly body: Uint8Array | null;
} {
  if (properties[tombstoneProperty] !== '1') return { headers: properties, body };
  const { [tombstoneProperty]: _, ...headers } = properties;
  return { headers, body: body.length === 0 ? null : body };
}
