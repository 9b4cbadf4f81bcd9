import type { InternalBroker } from '../kafkajs/internals.ts';

// Requests that kafkajs lacks, in their last versions without tagged fields. Source: https://kafka.apache.org/protocol, "OffsetDelete API" and
// "IncrementalAlterConfigs API".

/** Changes these settings of a topic and no others; null: back to the default. */
export async function alterTopicConfig(
  broker: InternalBroker,
  topic: string,
  config: Readonly<Record<string, string | null>>,
): Promise<void> {
  const set = 0;
  const back = 1;
  const entries = Object.entries(config).map(([name, value]) => [
    text(name),
    int8(value === null ? back : set),
    value === null ? int16(-1) : text(value),
  ]);
  const topicResource = 2;
  const raw = await send(broker, 'IncrementalAlterConfigs', 44, 0, [
    array([[int8(topicResource), text(topic), array(entries)]]),
    int8(0),
  ]);
  raw.int32();
  for (let resources = raw.int32(); resources > 0; resources -= 1) {
    fail(raw.int16(), raw.text());
    raw.int8();
    raw.text();
  }
}

/** Forgets the progress of a group without members on partitions of a topic. */
export async function deleteOffsets(
  broker: InternalBroker,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<void> {
  const raw = await send(broker, 'OffsetDelete', 47, 0, [
    text(group),
    array([[text(topic), array(partitions.map((partition) => [int32(partition)]))]]),
  ]);
  fail(raw.int16());
  raw.int32();
  for (let topics = raw.int32(); topics > 0; topics -= 1) {
    raw.text();
    for (let count = raw.int32(); count > 0; count -= 1) {
      raw.int32();
      fail(raw.int16());
    }
  }
}

/**
 * Of each feature of the cluster, the highest level that the broker knows; undefined from one that is older than 2.4. `metadata.version`
 * tells the release. Source: https://kafka.apache.org/protocol, "ApiVersions API", version 3: the first with tagged fields.
 */
export async function features(broker: InternalBroker): Promise<ReadonlyMap<string, number> | undefined> {
  const noTags = int8(0);
  // The first byte ends the header, which kafkajs writes as that of older requests.
  const raw = await send(broker, 'ApiVersions', 18, 3, [noTags, compact('bento-bus'), compact('1'), noTags]);
  if (raw.int16() !== 0) return undefined;
  for (let keys = raw.varint(); keys > 1; keys -= 1) {
    raw.int16();
    raw.int16();
    raw.int16();
    raw.tags(() => {});
  }
  raw.int32();
  const found = new Map<string, number>();
  raw.tags((tag) => {
    if (tag !== 0) return;
    for (let count = raw.varint(); count > 1; count -= 1) {
      const name = raw.compact();
      raw.int16();
      found.set(name, raw.int16());
      raw.tags(() => {});
    }
  });
  return found;
}

async function send(
  broker: InternalBroker,
  apiName: string,
  apiKey: number,
  apiVersion: number,
  parts: readonly Part[],
): Promise<Reader> {
  const buffer = Buffer.concat(parts.flat(20) as Buffer[]);
  // What kafkajs looks at of its own encoder.
  const encoded = { buf: buffer, buffer };
  return (await broker.connectionPool.send({
    request: { apiKey, apiVersion, apiName, encode: async () => encoded },
    response: { decode: async (raw: Buffer) => new Reader(raw), parse: async (reader: unknown) => reader },
  })) as Reader;
}

type Part = Buffer | readonly Part[];

const int8 = (value: number): Buffer => Buffer.from([value & 0xff]);

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}

/** Short ones. */
const compact = (value: string): Buffer => Buffer.concat([int8(value.length + 1), Buffer.from(value)]);

const array = (entries: readonly Part[]): Part => [int32(entries.length), ...entries];

class Reader {
  readonly #raw: Buffer;
  #at = 0;

  constructor(raw: Buffer) {
    this.#raw = raw;
  }

  int8(): number {
    this.#at += 1;
    return this.#raw.readInt8(this.#at - 1);
  }

  int16(): number {
    this.#at += 2;
    return this.#raw.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#raw.readInt32BE(this.#at - 4);
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.int8();
      value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
  }

  /** Tagged fields; what `read` leaves of one is passed over. */
  tags(read: (tag: number) => void): void {
    for (let count = this.varint(); count > 0; count -= 1) {
      const tag = this.varint();
      const length = this.varint();
      const end = this.#at + length;
      read(tag);
      this.#at = end;
    }
  }

  compact(): string {
    return this.#text(this.varint() - 1);
  }

  text(): string {
    return this.#text(Math.max(0, this.int16()));
  }

  #text(length: number): string {
    this.#at += length;
    return this.#raw.toString('utf8', this.#at - length, this.#at);
  }
}

/** What these requests can fail of, by the names that `errors.ts` knows. */
const names: Readonly<Record<number, string>> = {
  3: 'UNKNOWN_TOPIC_OR_PARTITION',
  14: 'GROUP_LOAD_IN_PROGRESS',
  15: 'GROUP_COORDINATOR_NOT_AVAILABLE',
  16: 'NOT_COORDINATOR_FOR_GROUP',
  24: 'INVALID_GROUP_ID',
  29: 'TOPIC_AUTHORIZATION_FAILED',
  30: 'GROUP_AUTHORIZATION_FAILED',
  31: 'CLUSTER_AUTHORIZATION_FAILED',
  40: 'INVALID_CONFIG',
  41: 'NOT_CONTROLLER',
  42: 'INVALID_REQUEST',
  44: 'POLICY_VIOLATION',
  68: 'NON_EMPTY_GROUP',
  69: 'GROUP_ID_NOT_FOUND',
  86: 'GROUP_SUBSCRIBED_TO_TOPIC',
};

const passing: ReadonlySet<number> = new Set([14, 15, 16, 41]);

function fail(code: number, detail = ''): void {
  if (code === 0) return;
  const type = names[code] ?? `error ${code}`;
  throw Object.assign(new Error(detail === '' ? `The broker refuses it: ${type}` : detail), {
    type,
    retriable: passing.has(code),
  });
}
