import { withDeadline } from '@bento-bus/core/adapter';
import type { Kafka, Producer } from 'kafkajs';
import type { DriverRecord, TransactionalProducer } from '../driver.ts';
import { withCluster } from './internals.ts';
import { createPartitioner, lateError, sendAll, stopper } from './producer.ts';

const retry = {
  retries: Number.MAX_SAFE_INTEGER,
  initialRetryTime: 50,
  maxRetryTime: 1_000,
  multiplier: 2,
  factor: 0.2,
};

/** The broker ends a transaction that takes longer. Milliseconds. */
const transactionTimeout = 60_000;

/** A transactional producer of kafkajs. After an error it is of no use: its transaction may be open, committed or aborted. */
export class KafkaJsTransactionalProducer implements TransactionalProducer {
  readonly #producer: Producer;
  readonly #stop: () => void;
  #pending: Promise<unknown> = Promise.resolve();

  private constructor(producer: Producer, stop: () => void) {
    this.#producer = producer;
    this.#stop = stop;
  }

  static async open(client: Kafka, transactionalId: string): Promise<KafkaJsTransactionalProducer> {
    const { made, cluster } = withCluster(client, (view) =>
      view.producer({
        idempotent: true,
        transactionalId,
        transactionTimeout,
        maxInFlightRequests: 1,
        allowAutoTopicCreation: false,
        createPartitioner,
        retry,
      }),
    );
    const stop = stopper(cluster);
    try {
      await made.connect();
      // Connecting alone fences nobody.
      const fence = await made.transaction();
      await fence.abort();
    } catch (error) {
      stop();
      await made.disconnect().catch(() => {});
      throw error;
    }
    return new KafkaJsTransactionalProducer(made, stop);
  }

  transact(parts: readonly ReadonlyMap<string, readonly DriverRecord[]>[], timeoutMs: number): Promise<void> {
    const work = this.#transact(parts);
    this.#pending = work.catch(() => {});
    return withDeadline(work, timeoutMs, () => {
      this.#stop();
      throw lateError([...(parts[0]?.keys() ?? [])].join('", "'), timeoutMs);
    });
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#pending;
    await this.#producer.disconnect().catch(() => {});
  }

  async #transact(parts: readonly ReadonlyMap<string, readonly DriverRecord[]>[]): Promise<void> {
    const transaction = await this.#producer.transaction();
    for (const part of parts) await sendAll(transaction, part);
    await transaction.commit();
  }
}
