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

  text(): string {
    const length = Math.max(0, this.int16());
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
