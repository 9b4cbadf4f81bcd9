import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BentoError, type Delivery, type Message, type Middleware, silentLogger } from '@bento-bus/core';
import { deferred } from '@bento-bus/core/adapter';
import { isOfAnother } from '../headers.ts';
import { auditGroup, auditTopic, deadLetterGroup, deadLetterTopic, retryTopic } from '../names.ts';
import { isOfRun, original, putBack, redriven } from './copies.ts';
import { type DeadLetter, fits, readDeadLetter } from './letter.ts';
import { checkRedriveOptions, type RedriveOptions, type RedriveReport } from './options.ts';

/** Before a letter of this pass goes round once more. Milliseconds. */
const roundMs = 20;
/** Letters of different keys at once. */
const atOnce = 16;
/** What a dry run looks at, at most. */
const mostLooked = 10_000;
const longestWait = 2 ** 31 - 1;

/**
 * Gives dead letters of a group back to that group, by its retry topic: same id, key and bytes, tries counted anew, in the order per key
 * in which they died. Letters that do not fit the filter go back to the end of the dead letters, or, in a dry run, stay where they are.
 * A letter is taken away once its copy is stored, so a run that was killed goes on where it was when it is started again; what was in
 * hand comes twice then, with the same id. One run a group at a time.
 *
 * Rejects with a `CONFIGURATION` error that names every fault of the options, or with the first error of the transport or of `edit`;
 * what was redriven before it stays so.
 */
export async function redrive(options: RedriveOptions): Promise<RedriveReport> {
  checkRedriveOptions(options);
  return new Run(options).run();
}

/** Looks at dead letters and changes nothing: a dry run. At most `limit` (default 1_000) that fit. */
export async function listDeadLetters(
  options: Omit<RedriveOptions, 'action' | 'dryRun' | 'edit' | 'perSecond' | 'by'>,
): Promise<readonly DeadLetter[]> {
  return (await redrive({ ...options, dryRun: true })).letters;
}

class Run {
  readonly #options: RedriveOptions;
  readonly #id = randomUUID();
  readonly #letters: DeadLetter[] = [];
  readonly #limit: number;
  #looked = 0;
  /** Taken up; those of them that are through are `#done`. */
  #begun = 0;
  #done = 0;
  #kept = 0;
  #edited = 0;
  #nextAt = 0;
  #last = Date.now();
  readonly #end = deferred<boolean>();
  readonly #stop = new AbortController();
  #isOver = false;

  constructor(options: RedriveOptions) {
    this.#options = options;
    this.#limit = options.limit ?? (options.dryRun === true ? 1_000 : Number.POSITIVE_INFINITY);
  }

  async run(): Promise<RedriveReport> {
    const { transport, topic, group, dryRun = false, idleMs = 3_000, signal, logger = silentLogger } = this.#options;
    const from = deadLetterTopic(topic, group);
    // Nobody may listen yet.
    this.#end.promise.catch(() => {});
    const subscription = await transport.subscribe([from], (delivery) => this.#look(delivery), {
      group: deadLetterGroup,
      startPosition: 'earliest',
      ordering: dryRun ? 'none' : 'key',
      concurrency: dryRun ? mostLooked : atOnce,
      maxHoldMs: longestWait,
      drainMs: dryRun ? 1 : 10_000,
      use: [this.#prepare],
    });
    const stop = (): void => this.#finish(false);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    this.#last = Date.now();
    const idle = setInterval(
      () => {
        if (Date.now() - this.#last >= idleMs && this.#begun === this.#done)
          this.#finish(this.#looked < mostLooked || !dryRun);
      },
      Math.min(100, idleMs),
    );
    subscription.closed.catch((error: unknown) => this.#fail(error));
    try {
      const complete = await this.#end.promise;
      await subscription.close();
      const report = { run: this.#id, ...this.#progress(), edited: this.#edited, complete, letters: this.#letters };
      logger.info(`dlq: ${dryRun ? 'looked at' : 'redrove'} dead letters`, {
        topic,
        group,
        ...report,
        letters: undefined,
      });
      return report;
    } finally {
      clearInterval(idle);
      signal?.removeEventListener('abort', stop);
      await subscription.close();
    }
  }

  /** What letters go to must keep them before somebody reads. What is not taken waits until the run has ended. */
  readonly #prepare: Middleware = (next, subscription) => {
    const { topic, group, dryRun, edit, action } = this.#options;
    if (dryRun !== true) {
      subscription.ensureTopic(retryTopic(topic, group), { subscription: group });
      if (edit !== undefined || action === 'discard')
        subscription.ensureTopic(auditTopic(topic, group), { subscription: auditGroup });
    }
    subscription.retryAfter(() => longestWait);
    return next;
  };

  async #look(delivery: Delivery): Promise<void> {
    const { dryRun = false, filter = {}, onProgress } = this.#options;
    if (this.#isOver) throw new Untouched();
    if (isOfRun(delivery.message, this.#id)) {
      await this.#passOn(delivery.message);
      return;
    }
    this.#last = Date.now();
    this.#looked += 1;
    const letter = readDeadLetter(delivery);
    try {
      const chosen = !isOfAnother(delivery.message, this.#options) && fits(letter, filter);
      if (chosen && this.#begun >= this.#limit) throw new Untouched();
      if (dryRun) {
        if (chosen) {
          this.#begun += 1;
          this.#done += 1;
          this.#letters.push(letter);
        } else this.#kept += 1;
        onProgress?.(this.#progress());
        if (this.#done >= this.#limit) this.#finish(false);
        // In hand until the subscription closes, which leaves it where it is.
        await new Promise(() => {});
      }
      if (chosen) await this.#take(letter);
      else {
        await this.#putBack(delivery.message);
        this.#kept += 1;
      }
      this.#last = Date.now();
      onProgress?.(this.#progress());
      if (this.#done >= this.#limit) this.#finish(false);
    } catch (error) {
      if (!(error instanceof Untouched)) this.#fail(error);
      throw error;
    }
  }

  /**
   * One that this run has put back, or that failed again since: it goes round, so that what others of its partition or key hold up is
   * looked at. Slowly, as nothing is gained by it.
   */
  async #passOn(message: Message): Promise<void> {
    if (this.#options.dryRun === true) await new Promise(() => {});
    await this.#sleep(roundMs);
    await this.#putBack(message);
  }

  /** Ends with the run, too. */
  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
    if (this.#isOver) throw new Untouched();
  }

  async #take(letter: DeadLetter): Promise<void> {
    const { transport, topic, group, action = 'redrive', edit, by = 'redrive' } = this.#options;
    this.#begun += 1;
    await this.#pace();
    const change = await edit?.(letter);
    const about = { change, by, run: this.#id };
    if (change !== undefined || action === 'discard')
      await transport.publish(auditTopic(topic, group), [original(letter.message, about)]);
    if (action === 'redrive') await transport.publish(retryTopic(topic, group), [redriven(letter.message, about)]);
    if (change !== undefined) this.#edited += 1;
    this.#done += 1;
  }

  async #putBack(message: Message): Promise<void> {
    const { transport, topic, group } = this.#options;
    await transport.publish(deadLetterTopic(topic, group), [putBack(message, this.#id)]);
  }

  async #pace(): Promise<void> {
    const { perSecond } = this.#options;
    if (perSecond === undefined) return;
    const now = Date.now();
    this.#nextAt = Math.max(now, this.#nextAt + 1_000 / perSecond);
    if (this.#nextAt > now) await this.#sleep(this.#nextAt - now);
  }

  #progress(): { looked: number; done: number; kept: number } {
    return { looked: this.#looked, done: this.#done, kept: this.#kept };
  }

  #finish(complete: boolean): void {
    this.#isOver = true;
    this.#stop.abort();
    this.#end.resolve(complete);
  }

  #fail(error: unknown): void {
    this.#isOver = true;
    this.#stop.abort();
    this.#end.reject(error);
  }
}

/** It stays where it is. */
class Untouched extends BentoError {
  constructor() {
    super('ABORTED', 'dlq: cannot take the dead letter: the run does not take it, or has ended. It stays.', true);
  }
}
