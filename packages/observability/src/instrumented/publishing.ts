import type { CheckpointedItem, CheckpointedPublisher, Message } from '@bento-bus/core';
import { deferred } from '@bento-bus/core/adapter';
import type { Instrument, Publishing, Surroundings } from '../instrument.ts';
import { type Faults, isSteady } from './careful.ts';

type Opener = NonNullable<Instrument['publishing']>;
type About = Parameters<Opener>[2];
type Send = (topic: string, messages: readonly Message[]) => Promise<void>;

/** How a publish ends: functions of their own, which do not throw. */
interface Ends {
  readonly stored: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * A publishing of a steady instrument. It may stand for several publishes, each of which ends by itself or with others, in any async
 * context: so nothing is made for a publish that only such an instrument looks at.
 */
export interface SteadyPublishing extends Publishing, Ends {
  allStored(times: number): void;
  allFailed(error: unknown, times: number): void;
}

/** Shows publishes to instruments; the first sees what was given, the next what the first made of it. */
export class PublishWatch {
  readonly #openers: readonly (Opener | undefined)[];
  readonly #areSteady: readonly boolean[];
  readonly #faults: Faults;
  readonly #plain: About;
  readonly #checkpointed: About;
  readonly #together = new Together();

  constructor(instruments: readonly Instrument[], about: Surroundings, faults: Faults) {
    this.#openers = instruments.map((instrument) => instrument.publishing?.bind(instrument));
    this.#areSteady = instruments.map(isSteady);
    this.#faults = faults;
    this.#plain = { ...about, checkpointed: false };
    this.#checkpointed = { ...about, checkpointed: true };
  }

  publish(topic: string, messages: readonly Message[], send: Send): Promise<void> {
    return this.#watched(topic, messages, send, this.#plain);
  }

  /** The publisher of a log; each publish is shown once a topic. What it passes over is not shown. */
  checkpointed(publisher: CheckpointedPublisher): CheckpointedPublisher {
    const { resumeAfter } = publisher;
    const close = (): Promise<void> => publisher.close();
    return {
      get resumeAfter() {
        return publisher.resumeAfter;
      },
      publish: async (items, through) => {
        const outcome = deferred();
        // Nobody may be interested.
        outcome.promise.catch(() => {});
        const outgoing = this.#shown(items, resumeAfter, outcome.promise);
        try {
          await publisher.publish(outgoing, through);
          outcome.resolve();
        } catch (error) {
          outcome.reject(error);
          throw error;
        }
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  #shown(items: readonly CheckpointedItem[], resumeAfter: string, outcome: Promise<void>): readonly CheckpointedItem[] {
    const outgoing = [...items];
    const byTopic = new Map<string, number[]>();
    for (const [index, { topic, position }] of items.entries()) {
      if (position <= resumeAfter) continue;
      const indexes = byTopic.get(topic);
      if (indexes === undefined) byTopic.set(topic, [index]);
      else indexes.push(index);
    }
    for (const [topic, indexes] of byTopic) {
      const given = indexes.map((index) => (items[index] as CheckpointedItem).message);
      const take: Send = (_, messages) => {
        for (const [nth, index] of indexes.entries())
          outgoing[index] = { ...(items[index] as CheckpointedItem), message: messages[nth] as Message };
        return outcome;
      };
      void this.#watched(topic, given, take, this.#checkpointed);
    }
    return outgoing;
  }

  /** All in one piece: it runs for every publish. */
  #watched(topic: string, given: readonly Message[], send: Send, about: About): Promise<void> {
    const openers = this.#openers;
    const faults = this.#faults;
    let messages = given;
    let opened: Publishing | undefined;
    let first = 0;
    for (let index = 0; index < openers.length; index += 1) {
      let one: Publishing | undefined;
      try {
        one = openers[index]?.(topic, messages, about);
      } catch (error) {
        faults.report(index, 'publishing', error);
      }
      if (one === undefined) continue;
      const made = one.messages;
      if (made !== undefined) {
        if (made.length === messages.length) messages = made;
        else faults.report(index, 'messages', `it made ${made.length} of ${messages.length}`);
      }
      if (opened === undefined) {
        opened = one;
        first = index;
      } else opened = both(opened, one, (fault) => faults.report(index, 'end', fault));
    }
    if (opened === undefined) return send(topic, messages);
    const steady = this.#areSteady[first] === true && 'stored' in opened ? (opened as SteadyPublishing) : undefined;
    const ends = steady ?? endsOf(opened, first, faults);
    let sent: Promise<void>;
    try {
      sent = send(topic, messages);
    } catch (error) {
      ends.failed(error);
      throw error;
    }
    // The transport's own promise goes back: nobody waits a turn longer.
    if (steady === undefined) sent.then(ends.stored, ends.failed);
    else this.#together.follow(sent, steady);
    return sent;
  }
}

/**
 * Publishes for which the transport returns one promise, as they are confirmed together: they have one reaction together too, since a
 * reaction to each would cost more than all else that is done for a publish.
 */
class Together {
  #last: Promise<void> | undefined;
  /** Of the publishes after the first with the last promise, while it is not settled. */
  #others: Run[] | undefined;

  follow(sent: Promise<void>, publishing: SteadyPublishing): void {
    if (sent !== this.#last) {
      this.#last = sent;
      this.#others = undefined;
      sent.then(publishing.stored, publishing.failed);
      return;
    }
    const others = (this.#others ??= this.#react(sent));
    const run = others[others.length - 1];
    if (run?.publishing === publishing) run.times += 1;
    else others.push({ publishing, times: 1 });
  }

  #react(sent: Promise<void>): Run[] {
    const others: Run[] = [];
    const end = (close: (run: Run) => void): void => {
      if (this.#others === others) this.#others = undefined;
      others.forEach(close);
    };
    sent.then(
      () => end(({ publishing, times }) => publishing.allStored(times)),
      (error: unknown) => end(({ publishing, times }) => publishing.allFailed(error, times)),
    );
    return others;
  }
}

/** So many with the same publishing, one after the other. */
interface Run {
  readonly publishing: SteadyPublishing;
  times: number;
}

function endsOf(opened: Publishing, index: number, faults: Faults): Ends {
  const failed = (error: unknown): void => {
    try {
      opened.end(error);
    } catch (fault) {
      faults.report(index, 'end', fault);
    }
  };
  return { stored: () => failed(undefined), failed };
}

/** Ends from the inside out. */
const both = (outer: Publishing, inner: Publishing, failed: (fault: unknown) => void): Publishing => ({
  end: (error) => {
    try {
      inner.end(error);
    } catch (fault) {
      failed(fault);
    }
    outer.end(error);
  },
});
