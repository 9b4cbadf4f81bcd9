import { setTimeout } from 'node:timers/promises';
import { withDeadline } from '@bento-bus/core/adapter';
import { addPartitionsToTxnV1, endTxnV1, initProducerIdV2 } from '@platformatic/kafka';
import type { DriverProducer, DriverRecord, TransactionalProducer } from '../driver.ts';
import { toBentoError } from '../errors.ts';
import { lateError } from '../late-error.ts';
import type { ResolvedOptions } from '../options.ts';
import { ask, Cluster, retrying, soon } from './cluster.ts';
import { Sender } from './sender.ts';

/** The broker ends a transaction that takes longer. Milliseconds. */
const transactionTimeoutMs = 60_000;

/** An idempotent producer. */
export class PlatformaticProducer implements DriverProducer {
  readonly #cluster: Cluster;
  readonly #sender: Sender;
  readonly #pending = new Set<Promise<void>>();

  private constructor(cluster: Cluster, sender: Sender) {
    this.#cluster = cluster;
    this.#sender = sender;
  }

  static async open(options: ResolvedOptions): Promise<PlatformaticProducer> {
    const cluster = new Cluster(options);
    try {
      const id = await retrying(soon(options), async () => {
        await cluster.look([]);
        return ask(cluster.any(), initProducerIdV2.api, null, transactionTimeoutMs);
      });
      return new PlatformaticProducer(cluster, new Sender(cluster, id, options.requestTimeoutMs));
    } catch (error) {
      cluster.connections.close();
      throw error;
    }
  }

  async send(topic: string, records: readonly DriverRecord[], timeoutMs: number): Promise<void> {
    const sent = this.#sender.route(topic, records).then(() => this.#sender.send(topic, records));
    this.#pending.add(sent);
    const settled = (): boolean => this.#pending.delete(sent);
    sent.then(settled, settled);
    await withDeadline(sent, timeoutMs, () => {
      // Or it would be stored behind what is published next.
      this.#sender.stop();
      const fault = this.#sender.faultOf(topic);
      throw fault === undefined ? lateError(topic, timeoutMs) : toBentoError(fault, `publish to "${topic}"`);
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    this.#cluster.connections.close();
  }
}

/** The producer of a transactional id. After an error it is of no use: its transaction may be open, committed or aborted. */
export class PlatformaticTransactionalProducer implements TransactionalProducer {
  readonly #cluster: Cluster;
  readonly #sender: Sender;
  readonly #id: string;
  readonly #number: { readonly producerId: bigint; readonly producerEpoch: number };
  #isStopped = false;
  #pending: Promise<unknown> = Promise.resolve();

  private constructor(
    cluster: Cluster,
    sender: Sender,
    id: string,
    number: { producerId: bigint; producerEpoch: number },
  ) {
    this.#cluster = cluster;
    this.#sender = sender;
    this.#id = id;
    this.#number = number;
  }

  /** Fences: the epoch that it gets ends those before, and their open transaction. */
  static async open(options: ResolvedOptions, id: string): Promise<PlatformaticTransactionalProducer> {
    const cluster = new Cluster(options);
    try {
      const number = await retrying(soon(options), async () => {
        await cluster.look([]);
        const { connections } = cluster;
        return cluster.coordinate('transaction', id, connections, initProducerIdV2.api, id, transactionTimeoutMs);
      });
      const sender = new Sender(cluster, number, options.requestTimeoutMs, id);
      return new PlatformaticTransactionalProducer(cluster, sender, id, number);
    } catch (error) {
      cluster.connections.close();
      throw error;
    }
  }

  transact(parts: readonly ReadonlyMap<string, readonly DriverRecord[]>[], timeoutMs: number): Promise<void> {
    const work = this.#transact(parts, Date.now() + timeoutMs);
    this.#pending = work.catch(() => {});
    return withDeadline(work, timeoutMs, () => {
      this.#stop();
      throw lateError([...(parts[0]?.keys() ?? [])].join('", "'), timeoutMs);
    });
  }

  async close(): Promise<void> {
    this.#stop();
    // What hangs is of no use to anybody.
    await Promise.race([this.#pending, setTimeout(1_000, undefined, { ref: false })]);
    this.#cluster.connections.close();
    await this.#pending;
  }

  async #transact(parts: readonly ReadonlyMap<string, readonly DriverRecord[]>[], deadline: number): Promise<void> {
    const partitions = new Map<string, Set<number>>();
    for (const part of parts)
      for (const [topic, records] of part) {
        const hit = await this.#sender.route(topic, records);
        partitions.set(topic, new Set([...(partitions.get(topic) ?? []), ...hit]));
      }
    const { producerId, producerEpoch } = this.#number;
    const coordinate: Cluster['coordinate'] = (role, key, connections, api, ...given) =>
      retrying(
        deadline,
        () => this.#cluster.coordinate(role, key, connections, api, ...given),
        () => this.#isStopped,
      );
    const { connections } = this.#cluster;
    await coordinate('transaction', this.#id, connections, addPartitionsToTxnV1.api, [
      {
        transactionalId: this.#id,
        producerId,
        producerEpoch,
        verifyOnly: false,
        topics: Array.from(partitions, ([name, hit]) => ({ name, partitions: [...hit] })),
      },
    ]);
    for (const part of parts) for (const [topic, records] of part) await this.#sender.send(topic, records);
    await coordinate('transaction', this.#id, connections, endTxnV1.api, this.#id, producerId, producerEpoch, true);
  }

  #stop(): void {
    this.#isStopped = true;
    this.#sender.stop();
  }
}
