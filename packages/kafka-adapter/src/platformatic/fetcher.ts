import { setTimeout } from 'node:timers/promises';
import type { FetchedBatch, FetchPosition, TopicPartition } from '../driver.ts';
import { committedOf } from '../last-record.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Cluster } from './cluster.ts';
import { Connections } from './connections.ts';
import { answerOf, isRetriable, typeOf } from './faults.ts';
import { fetchFrom, offsetsAt } from './reading.ts';

/** How long an empty fetch waits at the broker; what is resumed waits for it too. Milliseconds. */
const maxWaitMs = 200;

/** After an error. Milliseconds. */
const pauseMs = 100;

/** A topic that is unknown so often in a row has been deleted. */
const patience = 20;

/** Where a partition goes on. */
interface Place extends TopicPartition {
  next: number;
  paused: boolean;
}

/** Who takes what was fetched. */
export interface FetcherEvents {
  /** While it is pending nothing else is fetched from the same broker. */
  readonly batch: (batch: FetchedBatch) => Promise<void>;
  /** False: for now nothing may be handed out. */
  readonly isMember: () => boolean;
  /** It cannot be mended by trying again. Called once; nothing more is fetched. */
  readonly failed: (error: unknown) => void;
}

/** Fetches the partitions of one generation, with one request at a time to each broker. */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #events: FetcherEvents;
  /** Of its own: a broker answers the requests of a connection one after the other, and a fetch waits. */
  readonly #connections: Connections;
  readonly #places = new Map<string, Place>();
  /** By broker. */
  readonly #busy = new Map<number, Promise<void>>();
  #stopped = false;
  /** How often in a row brokers did not know a topic: one that is new is not known everywhere at once. */
  #unknown = 0;

  constructor(cluster: Cluster, options: ResolvedOptions, events: FetcherEvents) {
    this.#cluster = cluster;
    this.#events = events;
    this.#connections = new Connections(options, options.requestTimeoutMs + maxWaitMs);
  }

  start(positions: readonly FetchPosition[]): void {
    for (const { topic, partition, next, paused } of positions)
      this.#places.set(keyOf({ topic, partition }), { topic, partition, next, paused });
    this.#pump();
  }

  /** Nothing more is handed out. Resolves when what was handed out is back. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#connections.close();
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  pause(partition: TopicPartition): void {
    const place = this.#places.get(keyOf(partition));
    if (place !== undefined) place.paused = true;
  }

  resume(partition: TopicPartition): void {
    const place = this.#places.get(keyOf(partition));
    if (place !== undefined) place.paused = false;
    this.#pump();
  }

  seek(partition: TopicPartition, offset: number): void {
    const place = this.#places.get(keyOf(partition));
    if (place !== undefined) place.next = offset;
  }

  /** Begins a fetch from each broker that has something and is not asked already. */
  #pump(): void {
    if (this.#stopped) return;
    const byLeader = new Map<number, Place[]>();
    for (const place of this.#places.values()) {
      if (place.paused) continue;
      const leader = this.#cluster.known(place.topic)[place.partition] ?? -1;
      const places = byLeader.get(leader);
      if (places === undefined) byLeader.set(leader, [place]);
      else places.push(place);
    }
    for (const [leader, places] of byLeader) {
      if (this.#busy.has(leader)) continue;
      this.#busy.set(leader, this.#ask(leader, places));
    }
  }

  /** Never rejects. */
  async #ask(leader: number, places: readonly Place[]): Promise<void> {
    try {
      await this.#fetch(leader, places).catch((error: unknown) => this.#recover(error, places));
    } catch (error) {
      this.#fail(error);
    }
    this.#busy.delete(leader);
    this.#pump();
  }

  async #fetch(leader: number, places: readonly Place[]): Promise<void> {
    if (!this.#events.isMember()) {
      await setTimeout(pauseMs);
      return;
    }
    const asked = new Map(places.map((place) => [keyOf(place), { place, offset: place.next }]));
    const connection = await this.#cluster.node(leader, this.#connections);
    const requests = Array.from(asked.values(), ({ place: { topic, partition }, offset }) => ({
      topic,
      partition,
      offset,
    }));
    const { errorCode, responses } = await fetchFrom(connection, requests, maxWaitMs);
    if (errorCode !== 0) throw answerOf(errorCode);
    const faults: unknown[] = [];
    const taking: Promise<void>[] = [];
    for (const { topicName: topic, partitions } of responses)
      for (const data of partitions) {
        const one = asked.get(keyOf({ topic, partition: data.partition }));
        if (one === undefined) continue;
        const { place, offset } = one;
        // Paused or sought meanwhile.
        const isCurrent = (): boolean => !this.#stopped && !place.paused && place.next === offset;
        if (!isCurrent() || !this.#events.isMember()) continue;
        if (data.errorCode !== 0) {
          const error = answerOf(data.errorCode);
          if (typeOf(error) === 'OFFSET_OUT_OF_RANGE') taking.push(this.#reset(place, isCurrent));
          else faults.push(error);
          continue;
        }
        const { next, messages, abortedTransactions } = data;
        if (next === undefined || next <= offset) continue;
        const committed = committedOf(messages, abortedTransactions);
        // Batches come whole, also the part of the first one that was not asked for.
        const first = committed.findIndex((record) => Number(record.offset) >= offset);
        const records = first === 0 ? committed : first < 0 ? [] : committed.slice(first);
        const accept = (): void => {
          if (place.next === offset) place.next = next;
        };
        taking.push(this.#events.batch({ topic, partition: data.partition, records, from: offset, next, accept }));
      }
    await Promise.all(taking);
    const fatal = faults.find((fault) => !isRetriable(fault)) ?? faults[0];
    if (fatal !== undefined) throw fatal;
  }

  /** Retention has passed by, or the log was cut: on with the earliest record. */
  async #reset(place: Place, isCurrent: () => boolean): Promise<void> {
    const next = (await offsetsAt(this.#cluster, place.topic, 'earliest')).get(place.partition);
    if (next !== undefined && isCurrent()) place.next = next;
  }

  /** Partitions have moved, or a broker is gone: looks where they are by now. */
  async #recover(error: unknown, places: readonly Place[]): Promise<void> {
    if (this.#stopped) return;
    if (!isRetriable(error)) throw error;
    await setTimeout(pauseMs);
    const topics = [...new Set(places.map(({ topic }) => topic))];
    let states: Awaited<ReturnType<Cluster['look']>>;
    try {
      states = await this.#cluster.look(topics);
    } catch (failure) {
      if (isRetriable(failure)) return;
      throw failure;
    }
    const missing = [...states.values()].find((state) => typeOf(state.error) === 'UNKNOWN_TOPIC_OR_PARTITION');
    this.#unknown = missing === undefined ? 0 : this.#unknown + 1;
    if (this.#unknown > patience) throw missing?.error;
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#connections.close();
    this.#events.failed(error);
  }
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;
