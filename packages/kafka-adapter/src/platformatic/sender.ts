import { setTimeout } from 'node:timers/promises';
import { fullJitter } from '@bento-bus/core/adapter';
import { type Connection, murmur2, produceV8, Writer } from '@platformatic/kafka';
import type { DriverRecord } from '../driver.ts';
import type { Cluster } from './cluster.ts';
import { answerOf, ClientError, faultOf, isRetriable } from './faults.ts';
import { encodeBatch } from './record-batch.ts';

/** By what a broker knows a producer. */
export interface ProducerId {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

/** A batch for one partition, with its place among this producer's batches there: sent again as it is until its fate is known. */
interface Outgoing {
  readonly partition: number;
  readonly batch: Buffer;
}

const { key: produceKey, version: produceVersion } = produceV8.api;
const acksOfAll = -1;
const backoff = fullJitter({ baseMs: 50, capMs: 1_000 });
const stopped = new ClientError('NETWORK', 'the producer was closed', false);

/**
 * Sends each record once, whatever fails. The client's own producer does not: it takes the broker of the first record for that of all others in
 * a retry, tries once more when a leader has moved, and after a lost sequence it sends under a new id what may be stored already. Here each
 * partition is confirmed for itself, and what is not is sent as it was to whoever leads by then.
 */
export class Sender {
  readonly #cluster: Cluster;
  readonly #id: ProducerId;
  readonly #transactionalId: string | null;
  readonly #timeoutMs: number;
  readonly #sequences = new Map<string, number>();
  /** For records without keys, by topic. */
  readonly #turns = new Map<string, number>();
  /** What the last try of a topic failed of. */
  readonly #faults = new Map<string, unknown>();
  #isStopped = false;

  constructor(cluster: Cluster, id: ProducerId, timeoutMs: number, transactionalId: string | null = null) {
    this.#cluster = cluster;
    this.#id = id;
    this.#timeoutMs = timeoutMs;
    this.#transactionalId = transactionalId;
  }

  /** Ends the tries: the next one fails at once and for good. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Why the topic is not stored yet. */
  faultOf(topic: string): unknown {
    return this.#faults.get(topic);
  }

  /** Chooses partitions, once for each record; resolves with those that are hit. */
  async route(topic: string, records: readonly DriverRecord[]): Promise<ReadonlySet<number>> {
    const leaders = await this.#leaders(topic);
    let turn = this.#turns.get(topic) ?? Math.floor(Math.random() * leaders.length);
    const hit = new Set<number>();
    for (const record of records) {
      if (record.partition === undefined) {
        if (record.key === null) turn = nextLed(leaders, turn);
        record.partition = record.key === null ? turn : partitionOf(record.key, leaders.length);
      }
      hit.add(record.partition);
    }
    this.#turns.set(topic, turn);
    return hit;
  }

  /** Resolves when all are stored; they have been routed. One call a topic at a time. */
  async send(topic: string, records: readonly DriverRecord[]): Promise<void> {
    let left = this.#encode(topic, records);
    for (let failures = 1; ; failures += 1) {
      const byLeader = new Map<number, Outgoing[]>();
      const leaders = await this.#leaders(topic);
      for (const one of left) {
        const leader = leaders[one.partition] ?? -1;
        const group = byLeader.get(leader);
        if (group === undefined) byLeader.set(leader, [one]);
        else group.push(one);
      }
      const outcomes = await Promise.all(
        Array.from(byLeader, ([leader, group]) => this.#produce(leader, topic, group)),
      );
      left = outcomes.flat();
      if (left.length === 0) {
        this.#faults.delete(topic);
        return;
      }
      this.#cluster.forget(topic);
      await setTimeout(backoff(failures));
      if (this.#isStopped) throw stopped;
    }
  }

  #encode(topic: string, records: readonly DriverRecord[]): Outgoing[] {
    const byPartition = new Map<number, DriverRecord[]>();
    for (const record of records) {
      const group = byPartition.get(record.partition as number);
      if (group === undefined) byPartition.set(record.partition as number, [record]);
      else group.push(record);
    }
    return Array.from(byPartition, ([partition, group]) => {
      const at = `${topic} ${partition}`;
      const sequence = this.#sequences.get(at) ?? 0;
      this.#sequences.set(at, (sequence + group.length) % 2 ** 31);
      const batch = encodeBatch(group, { ...this.#id, sequence, transactional: this.#transactionalId !== null });
      return { partition, batch };
    });
  }

  /** Resolves with what is to be sent again; rejects where that is of no use. */
  async #produce(leader: number, topic: string, group: readonly Outgoing[]): Promise<readonly Outgoing[]> {
    let connection: Connection | undefined;
    try {
      connection = await this.#cluster.node(leader);
      const opened = connection;
      if (this.#isStopped) throw stopped;
      const codes = await new Promise<ReadonlyMap<number, number>>((resolve, reject) => {
        opened.send(
          produceKey,
          produceVersion,
          () => this.#request(topic, group),
          (...[, , , reader]) => codesOf(reader.buffer.buffer),
          false,
          false,
          (error, answer) => (answer === undefined ? reject(error) : resolve(answer)),
        );
      });
      return group.filter(({ partition }) => {
        const code = codes.get(partition) ?? 0;
        // Stored by a try of which nothing was heard.
        if (code === 0 || code === duplicateSequence) return false;
        const error = answerOf(code);
        if (!isRetriable(error)) throw error;
        this.#faults.set(topic, error);
        return true;
      });
    } catch (error) {
      const fault = faultOf(error, connection);
      if (!isRetriable(fault)) throw fault;
      this.#faults.set(topic, fault);
      return group;
    }
  }

  #request(topic: string, group: readonly Outgoing[]): Writer {
    const writer = Writer.create()
      .appendString(this.#transactionalId, false)
      .appendInt16(acksOfAll)
      .appendInt32(this.#timeoutMs)
      .appendInt32(1)
      .appendString(topic, false)
      .appendInt32(group.length);
    for (const { partition, batch } of group) writer.appendInt32(partition).appendInt32(batch.length).append(batch);
    return writer;
  }

  /** Until it is stopped; where there is no topic by now, one may come. */
  async #leaders(topic: string): Promise<readonly number[]> {
    for (let failures = 1; ; failures += 1) {
      if (this.#isStopped) throw stopped;
      try {
        const leaders = await this.#cluster.leaders(topic);
        if (leaders.length > 0) return leaders;
      } catch (error) {
        if (!isRetriable(error)) throw error;
      }
      await setTimeout(backoff(failures));
    }
  }
}

/** As Java and kafkajs do it. Positive, by masking: what the client calls compatible. */
export const partitionOf = (key: DriverRecord['key'] & {}, count: number): number =>
  (murmur2(typeof key === 'string' ? key : Buffer.from(key), true) & 0x7fffffff) % count;

/** The next partition with a leader; the next one at all where none has. */
function nextLed(leaders: readonly number[], turn: number): number {
  for (let step = 1; step <= leaders.length; step += 1) {
    const next = (turn + step) % leaders.length;
    if ((leaders[next] as number) >= 0) return next;
  }
  return (turn + 1) % leaders.length;
}

const duplicateSequence = 46;

/** Codes of errors by partition, of an answer about one topic. The client's own reader leaves out which partition failed. */
function codesOf(raw: Buffer): ReadonlyMap<number, number> {
  const codes = new Map<number, number>();
  let at = 4 + 2 + raw.readInt16BE(4) + 4;
  for (let count = raw.readInt32BE(at - 4); count > 0; count -= 1) {
    codes.set(raw.readInt32BE(at), raw.readInt16BE(at + 4));
    // Index, code, and three numbers of 64 bits.
    at += 4 + 2 + 24;
    const errors = raw.readInt32BE(at);
    at += 4;
    for (let error = 0; error < errors; error += 1) at = afterText(raw, at + 4);
    at = afterText(raw, at);
  }
  return codes;
}

const afterText = (raw: Buffer, at: number): number => at + 2 + Math.max(0, raw.readInt16BE(at));
