import assert from 'node:assert/strict';
import { isBentoError, type Message } from '@bento-bus/core';
import type { TransportContext } from './context.ts';

/** Publishes until it is confirmed, as an application does; only retryable errors may come in between. */
export const publishStubbornly = (c: TransportContext, topic: string, message: Message): Promise<void> =>
  c.eventually('publishing', async () => {
    try {
      await c.transport.publish(topic, [message]);
      return true;
    } catch (error) {
      assert.ok(isBentoError(error) && error.retryable, `a retryable error was expected, not ${String(error)}`);
      return false;
    }
  });

/** How many messages may wait to be handled. */
const most = 120;

/** Half of the keys are there all the time, half of them for five rounds: a backend may leave a key with its owner as long as it is busy. */
const keysOf = (round: number): readonly string[] =>
  Array.from({ length: 40 }, (_, key) => (key % 2 === 0 ? `k${key}` : `k${key}-${Math.floor(round / 5)}`));

/** A publisher at work, in rounds of a message a key, as fast as they are handled. */
export class Traffic {
  /** What was confirmed, in order for each key. */
  readonly confirmed: Message[] = [];
  readonly #work: Promise<unknown>;
  #ended = false;

  constructor(c: TransportContext, topic: string, handled: () => number) {
    const publish = async (key: string): Promise<void> => {
      const message = c.message({ key });
      await publishStubbornly(c, topic, message);
      this.confirmed.push(message);
    };
    const work = async (): Promise<void> => {
      for (let round = 0; !this.#ended; round += 1) {
        await Promise.all(keysOf(round).map(publish));
        await c.eventually('handling the messages', () => this.#ended || this.confirmed.length - handled() <= most);
      }
    };
    this.#work = work();
    // Whoever waits for something meanwhile hears of it.
    this.#work.catch((error: unknown) => c.fault(error));
    c.onEnd(async () => {
      this.#ended = true;
    });
  }

  /** Keys of all that was confirmed. */
  get keys(): readonly string[] {
    return [...new Set(this.confirmed.map(({ key = '' }) => key))];
  }

  /** Ends when what is under way is confirmed. */
  async end(): Promise<readonly Message[]> {
    this.#ended = true;
    await this.#work;
    return this.confirmed;
  }
}
