import { withDeadline } from '@bento-bus/core/adapter';
import type { Kafka, Producer } from 'kafkajs';
import type { DriverRecord, TransactionalProducer } from '../driver.ts';
import { lateError } from '../late-error.ts';
import { withCluster } from './internals.ts';
import { createPartitioner, retry, Sending } from './sending.ts';

/** The broker ends a transaction that takes longer. Milliseconds. */
const transactionTimeout = 60_000;

/** A transactional producer of kafkajs. After an error it is of no use: its transaction may be open, committed or aborted. */
export class KafkaJsTransactionalProducer implements TransactionalProducer {
  readonly #producer: Producer;
  readonly #sending: Sending;
  #pending: Promise<unknown> = Promise.resolve();

  private constructor(producer: Producer, sending: Sending) {
    this.#producer = producer;
    this.#sending = sending;
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
    const sending = new Sending(cluster);
    try {
      await made.connect();
      // Connecting alone fences nobody.
      const fence = await made.transaction();
      await fence.abort();
    } catch (error) {
      sending.stop();
      await made.disconnect().catch(() => {});
      throw error;
    }
    return new KafkaJsTransactionalProducer(made, sending);
  }

  transact(parts: readonly ReadonlyMap<string, readonly DriverRecord[]>[], timeoutMs: number): Promise<void> {
    const work = this.#transact(parts);
    this.#pending = work.catch(() => {});
    return withDeadline(work, timeoutMs, () => {
      this.#sending.stop();
      throw lateError([...(parts[0]?.keys() ?? [])].join('", "'), timeoutMs);
    });
  }

  async close(): Promise<void> {
    this.#sending.stop();
    await this.#pending;
    await this.#producer.disconnect().catch(() => {});
  }

  async #transact(parts: readonly ReadonlyMap<string, readonly DriverRecord[]>[]): Promise<void> {
    const transaction = await this.#producer.transaction();
    // One request after the other: those at once would meet in the coordinator, which refuses one of them.
    for (const part of parts)
      for (const [topic, records] of part) await this.#sending.send(transaction, topic, records, { parallel: false });
    await transaction.commit();
  }
}
