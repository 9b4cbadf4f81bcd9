import { withDeadline } from '@bento-bus/core/adapter';
import type { Kafka, Producer } from 'kafkajs';
import type { DriverProducer, DriverRecord } from '../driver.ts';
import { toBentoError } from '../errors.ts';
import { lateError } from '../late-error.ts';
import { withCluster } from './internals.ts';
import { createPartitioner, retry, Sending } from './sending.ts';

/** An idempotent producer of kafkajs. Two calls a topic at once would be able to take each other's sequence numbers after an error. */
export class KafkaJsProducer implements DriverProducer {
  readonly #producer: Producer;
  readonly #sending: Sending;
  readonly #pending = new Set<Promise<unknown>>();

  private constructor(producer: Producer, sending: Sending) {
    this.#producer = producer;
    this.#sending = sending;
  }

  static async open(client: Kafka): Promise<KafkaJsProducer> {
    const { made, cluster } = withCluster(client, (view) =>
      view.producer({ idempotent: true, createPartitioner, allowAutoTopicCreation: false, retry }),
    );
    try {
      await made.connect();
    } catch (error) {
      made.disconnect().catch(() => {});
      throw error;
    }
    return new KafkaJsProducer(made, new Sending(cluster));
  }

  async send(topic: string, records: readonly DriverRecord[], timeoutMs: number): Promise<void> {
    const sent = this.#sending.send(this.#producer, topic, records, { parallel: true });
    this.#pending.add(sent);
    const settled = (): boolean => this.#pending.delete(sent);
    sent.then(settled, settled);
    await withDeadline(sent, timeoutMs, () => {
      // Or it would go on trying, and be stored behind what is published next.
      this.#sending.stop();
      const fault = this.#sending.faultOf(topic);
      throw fault === undefined ? lateError(topic, timeoutMs) : toBentoError(fault, `publish to "${topic}"`);
    });
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#pending);
    this.#sending.stop();
    await this.#producer.disconnect().catch(() => {});
  }
}
