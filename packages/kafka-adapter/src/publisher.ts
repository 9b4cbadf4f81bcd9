import { setTimeout } from 'node:timers/promises';
import { BentoError, type Message, PublishError } from '@bento-bus/core';
import {
  type Coalescer,
  createCoalescer,
  dueTimeOf,
  fullJitter,
  publishFailure,
  type WireFormat,
  type WireHeaders,
  type WireValue,
} from '@bento-bus/core/adapter';
import { routeOf } from './delay/route.ts';
import type { Driver, DriverProducer, DriverRecord } from './driver.ts';
import { toBentoError } from './errors.ts';
import type { ResolvedOptions } from './options.ts';
import type { Topics } from './topics.ts';

const backoff = fullJitter({ baseMs: 100, capMs: 1_000 });

/** A record with its size, as the coalescer carries it. */
export interface SizedRecord extends DriverRecord {
  readonly size: number;
}

/** Publishes with one idempotent producer; single publishes travel together. */
export class BatchingPublisher {
  readonly #driver: Driver;
  readonly #options: ResolvedOptions;
  readonly #topics: Topics;
  readonly #beforeDelayed: () => Promise<void>;
  readonly #coalescer: Coalescer;
  #producer: Promise<DriverProducer> | undefined;
  readonly #retired = new Set<Promise<void>>();
  /** Calls wait for room one behind the other. */
  #admitted: Promise<void> | undefined;

  /** `beforeDelayed` makes ready for messages that are to wait. */
  constructor(driver: Driver, options: ResolvedOptions, topics: Topics, beforeDelayed: () => Promise<void>) {
    this.#beforeDelayed = beforeDelayed;
    this.#driver = driver;
    this.#options = options;
    this.#topics = topics;
    this.#coalescer = createCoalescer({
      adapter: 'kafka-adapter',
      send: (topic, records) => this.#send(topic, records as unknown as readonly SizedRecord[]),
      sizeOf: (record) => (record as unknown as SizedRecord).size,
      maxBytes: Math.min(900_000, options.maxMessageBytes),
    });
  }

  /** Stored; what is delayed, in a topic of delay. */
  publish(topic: string, messages: readonly Message[]): Promise<void> {
    try {
      const now = Date.now();
      let delayed: Map<number, number> | undefined;
      const records = messages.map((message, index) => {
        const due = dueTimeOf('kafka-adapter', topic, message) ?? 0;
        if (due > now) (delayed ??= new Map()).set(index, due);
        return recordOf(topic, message, this.#options);
      });
      return delayed === undefined ? this.publishRecords(topic, records) : this.#publishLater(topic, records, delayed);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Each record to where it goes first: `due` has the times of those that are delayed. */
  async #publishLater(topic: string, records: readonly SizedRecord[], due: ReadonlyMap<number, number>): Promise<void> {
    try {
      const deadline = Date.now() + this.#options.publishTimeoutMs;
      await this.#stubbornly(topic, deadline, () => this.#beforeDelayed());
    } catch (error) {
      throw unconfirmed(error, topic, records.length);
    }
    const now = Date.now();
    const parts = new Map<string, { readonly records: SizedRecord[]; readonly indexes: number[] }>();
    for (const [index, given] of records.entries()) {
      const { topic: target, record } = routeOf(topic, given, due.get(index) ?? 0, now);
      const part = parts.get(target) ?? { records: [], indexes: [] };
      parts.set(target, part);
      part.records.push(record);
      part.indexes.push(index);
    }
    const failed: number[] = [];
    let cause: BentoError | undefined;
    await Promise.all(
      Array.from(parts, ([target, part]) =>
        this.publishRecords(target, part.records).catch((error: unknown) => {
          cause ??= toBentoError(error, `publish to "${topic}"`);
          const indexes = error instanceof PublishError ? error.failed : part.records.keys();
          for (const index of indexes) failed.push(part.indexes[index] as number);
        }),
      ),
    );
    if (cause === undefined) return;
    throw publishFailure({ message: cause.message, failed, count: records.length, error: cause });
  }

  /** Records that are encoded already, as {@link publish}. */
  publishRecords(topic: string, records: readonly SizedRecord[]): Promise<void> {
    // What travels is encoded already: the coalescer looks at nothing but the size.
    const carried = records as unknown as readonly Message[];
    const send = (): Promise<void> => this.#coalescer.publish(topic, carried);
    if (this.#admitted === undefined && this.#topics.has(topic) && this.#coalescer.room() === undefined) return send();
    const admitted = this.#admit(topic, records.length, this.#admitted);
    const next = admitted
      .catch(() => {})
      .finally(() => {
        if (this.#admitted === next) this.#admitted = undefined;
      });
    this.#admitted = next;
    return admitted.then(send);
  }

  /** Resolves when the topic is there and the calls before have been admitted and there is room. */
  async #admit(topic: string, count: number, before: Promise<void> | undefined): Promise<void> {
    await before;
    const deadline = Date.now() + this.#options.publishTimeoutMs;
    if (!this.#topics.has(topic)) {
      try {
        await this.#stubbornly(topic, deadline, () => this.#topics.ensure(topic));
      } catch (error) {
        throw unconfirmed(error, topic, count);
      }
    }
    for (let room = this.#coalescer.room(); room !== undefined; room = this.#coalescer.room()) await room;
  }

  async close(): Promise<void> {
    await this.#admitted;
    await this.#coalescer.close();
    const producer = await this.#producer?.catch(() => undefined);
    if (producer !== undefined) this.#retire(producer);
    await Promise.all(this.#retired);
  }

  async #send(topic: string, records: readonly SizedRecord[]): Promise<void> {
    const deadline = Date.now() + this.#options.publishTimeoutMs;
    let opened: { readonly opening: Promise<DriverProducer>; readonly producer: DriverProducer } | undefined;
    try {
      opened = await this.#open(topic, deadline);
      await opened.producer.send(topic, records, Math.max(100, deadline - Date.now()));
    } catch (cause) {
      // What has been stored is not known, so neither are its sequence numbers: going on with them could pass off a message as stored.
      if (opened !== undefined && this.#producer === opened.opening) {
        this.#producer = undefined;
        this.#retire(opened.producer);
      }
      // It may have been deleted.
      this.#topics.forget(topic);
      throw unconfirmed(cause, topic, records.length);
    }
  }

  async #open(
    topic: string,
    deadline: number,
  ): Promise<{ readonly opening: Promise<DriverProducer>; readonly producer: DriverProducer }> {
    let opening = this.#producer;
    const producer = await this.#stubbornly(topic, deadline, async () => {
      opening = this.#producer ??= this.#driver.producer();
      try {
        return await opening;
      } catch (error) {
        if (this.#producer === opening) this.#producer = undefined;
        throw error;
      }
    });
    return { opening: opening as Promise<DriverProducer>, producer };
  }

  /** Tries until the deadline what sends nothing. */
  async #stubbornly<T>(topic: string, deadline: number, work: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await work();
      } catch (cause) {
        const error = toBentoError(cause, `publish to "${topic}"`);
        const wait = backoff(failures);
        if (!error.retryable || Date.now() + wait >= deadline) throw error;
        await setTimeout(wait);
      }
    }
  }

  #retire(producer: DriverProducer): void {
    const closed = producer.close();
    this.#retired.add(closed);
    void closed.finally(() => this.#retired.delete(closed));
  }
}

/** What the caller gets: faults that are not those of a message or of the moment as they are. */
function unconfirmed(cause: unknown, topic: string, count: number): BentoError {
  const error = toBentoError(cause, `publish to "${topic}"`);
  if (!['PUBLISH', 'CONNECTION', 'TIMEOUT', 'REPLICAS'].includes(error.code)) return error;
  return new PublishError(
    error.message,
    Array.from({ length: count }, (_, index) => index),
    error.retryable,
    { cause, reason: error.code },
  );
}

/** The record of a message. Throws before anything is sent: `CODEC` for what the format refuses, `OVERSIZE`. */
export function recordOf(
  topic: string,
  message: Message,
  { format, maxMessageBytes }: { readonly format: WireFormat; readonly maxMessageBytes: number },
): SizedRecord {
  const { key, headers, body } = format.encode(message);
  const value = body === null ? null : bufferOf(body);
  let size = 70 + (value?.length ?? 0) + (key === undefined ? 0 : lengthOf(key));
  let sent = headers;
  for (const name in headers) {
    const header = headers[name];
    size += name.length + 6;
    if (typeof header === 'string') size += header.length;
    else if (header !== undefined) {
      // kafkajs takes buffers only, where bytes are not text.
      sent = sent === headers ? { ...headers } : sent;
      const values = (Array.isArray(header) ? header : [header]) as readonly WireValue[];
      (sent as Record<string, WireValue | WireValue[]>)[name] = values.map(textOrBuffer);
      for (const one of values) size += lengthOf(one);
    }
  }
  // Counted in characters so far, of up to three bytes.
  if (size * 3 > maxMessageBytes) checkSize(topic, message.id, exactSize(key, value, sent), maxMessageBytes);
  return { key: key === undefined ? null : textOrBuffer(key), value, headers: sent, size };
}

function checkSize(topic: string, id: string, size: number, limit: number): void {
  if (size <= limit) return;
  throw new BentoError(
    'OVERSIZE',
    `kafka-adapter: cannot publish message "${id}" to "${topic}": it has ${size} bytes, the limit is ${limit}. Send less, or raise maxMessageBytes and the topic's max.message.bytes.`,
  );
}

function exactSize(key: WireValue | undefined, value: Buffer | null, headers: WireHeaders): number {
  let size = 70 + (value?.length ?? 0) + (key === undefined ? 0 : bytesOf(key));
  for (const [name, header] of Object.entries(headers))
    for (const one of Array.isArray(header) ? (header as readonly WireValue[]) : [header as WireValue | undefined])
      if (one !== undefined) size += Buffer.byteLength(name) + bytesOf(one) + 6;
  return size;
}

const lengthOf = (value: WireValue): number => value.length;
const bytesOf = (value: WireValue): number => (typeof value === 'string' ? Buffer.byteLength(value) : value.length);
const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const textOrBuffer = (value: WireValue): WireValue => (typeof value === 'string' ? value : bufferOf(value));
