import { BentoError } from '@bento-bus/core';
import { type Deferred, deferred } from '@bento-bus/core/adapter';
import type { Driver, DriverProducer, EncodedMessage } from '../driver.ts';
import type { TopicName } from '../names.ts';
import type { MessagePosition } from '../position.ts';

/**
 * The only producer of its name on a topic or partition. It is never opened again behind the back of its user: once a message fails or
 * the connection is lost it is over, all that is not confirmed rejects, and what is stored has to be looked up.
 */
export class Writer {
  readonly topic: TopicName;
  readonly #window: number;
  readonly #pending = new Map<number, Deferred<MessagePosition>>();
  readonly #over: Deferred<BentoError> = deferred();
  #producer: DriverProducer | undefined;
  #fault: BentoError | undefined;
  #sequence = 0;
  #room: Deferred<void> | undefined;

  private constructor(topic: TopicName, window: number) {
    this.topic = topic;
    this.#window = window;
  }

  /** Rejects with `GROUP_CONFLICT` while another one has the name. */
  static async open(driver: Driver, topic: TopicName, name: string, window: number): Promise<Writer> {
    const writer = new Writer(topic, window);
    writer.#producer = await driver.openProducer(
      topic,
      { name, window },
      {
        onAck: (sequence, position) => writer.#acked(sequence, position()),
        onFailure: (_, error) => writer.#fail(error),
        onClose: (error) => writer.#fail(error),
      },
    );
    if (writer.#fault !== undefined) throw writer.#fault;
    return writer;
  }

  /** Resolves when it is over, with the reason. */
  get over(): Promise<BentoError> {
    return this.#over.promise;
  }

  /** Undefined: there is room. */
  room(): Promise<void> | undefined {
    if (this.#pending.size < this.#window || this.#fault !== undefined) return undefined;
    this.#room ??= deferred();
    return this.#room.promise;
  }

  /** Resolves with its place when it is stored. */
  send(message: EncodedMessage): Promise<MessagePosition> {
    if (this.#fault !== undefined) return Promise.reject(this.#fault);
    const sent: Deferred<MessagePosition> = deferred();
    this.#pending.set(++this.#sequence, sent);
    this.#producer?.send(this.#sequence, message);
    return sent.promise;
  }

  /** Resolves when the broker has let go of the name. */
  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    this.#fail(
      new BentoError(
        'CLOSED',
        `pulsar-adapter: cannot publish to "${this.topic.full}": its producer is closed. Open the log again.`,
        true,
      ),
    );
    await producer?.close();
  }

  #acked(sequence: number, position: MessagePosition): void {
    const sent = this.#pending.get(sequence);
    if (sent === undefined) return;
    this.#pending.delete(sequence);
    sent.resolve(position);
    this.#wake();
  }

  #fail(error: BentoError): void {
    this.#fault ??= error;
    this.#over.resolve(this.#fault);
    for (const sent of this.#pending.values()) sent.reject(this.#fault);
    this.#pending.clear();
    this.#wake();
    const producer = this.#producer;
    this.#producer = undefined;
    void producer?.close();
  }

  #wake(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}
