import type { MessagingAdmin } from '@bento-bus/core';

type Partitions = Awaited<ReturnType<MessagingAdmin['describeTopic']>>['partitions'];
type Waiting = Awaited<ReturnType<MessagingAdmin['peek']>>;

/** The rest of a batch comes right after its first message. Milliseconds. */
const restMs = 1_000;

/**
 * What a topic held when it was looked at, and whether all of that was read. A partition is through once its last message came, or one
 * beyond it; the topic also once none of its own has come for `idleMs`, as when the last ones are not due yet.
 */
export class TopicEnd {
  readonly #lasts: readonly Place[];
  readonly #left: Set<Place>;
  readonly #idleMs: number;
  readonly #ended: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isIdle = false;
  /** Of those left: their last is a batch, and some of it came. */
  readonly #begun = new Set<Place>();
  #isLastBatch = false;

  /** `waiting`: read already, since they come later. `ended` is called once, not before `start`. */
  constructor(partitions: Partitions, waiting: Waiting, idleMs: number, ended: () => void) {
    this.#idleMs = idleMs;
    this.#ended = ended;
    this.#lasts = partitions.flatMap(({ last }) => (last === undefined ? [] : [placeOf(last)]));
    const allWait = partitions.filter(
      ({ partition, messages }) =>
        new Set(waiting.flatMap((one) => (one.partition === partition ? [one.position] : []))).size >= messages,
    );
    const read = new Set(allWait.map(({ last }) => last));
    this.#left = new Set(this.#lasts.filter(({ position }) => !read.has(position)));
  }

  get isThrough(): boolean {
    return this.#isIdle || this.#left.size === 0;
  }

  /** The topic is read from now on. */
  start(): void {
    if (!this.isThrough && this.#timer === undefined) this.#wait(this.#idleMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** A message came. False: it was published after the look. */
  came(position: string): boolean {
    const place = placeOf(position);
    const isLater = this.#isLater(place);
    if (this.isThrough) return !isLater;
    for (const last of this.#left) this.#passes(place, last, isLater);
    if (this.#left.size === 0) {
      this.stop();
      this.#ended();
    } else if (!this.#isLastBatch && this.#begun.size === this.#left.size) {
      this.#isLastBatch = true;
      this.#wait(Math.min(restMs, this.#idleMs));
    } else if (!isLater) this.#timer?.refresh();
    return !isLater;
  }

  #passes(place: Place, last: Place, isLater: boolean): void {
    const isSame = place.space === last.space;
    // Whatever comes of a single partition after the look comes after its last.
    const isBeyond = isSame ? place.at > last.at : isLater && this.#lasts.length === 1;
    if (isBeyond || (isSame && place.at === last.at && !place.isPart)) {
      this.#left.delete(last);
      this.#begun.delete(last);
    } else if (isSame && place.at === last.at) this.#begun.add(last);
  }

  #isLater(place: Place): boolean {
    const last = this.#lasts.find(({ space }) => space === place.space);
    if (last !== undefined) return place.at > last.at;
    // Pulsar numbers the ledgers of a cluster: one above all that the topic had was begun later.
    return this.#lasts.length > 0 && this.#lasts.every(({ ledger }) => place.ledger > ledger);
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#isIdle = true;
      this.#ended();
    }, ms);
  }
}

/** A position as far as it can be compared. */
interface Place {
  readonly position: string;
  /** What `at` counts in: a partition of Kafka, a ledger of Pulsar; of others each position is a space of its own. */
  readonly space: string;
  readonly at: number;
  /** Of Pulsar, else NaN. */
  readonly ledger: number;
  /** One of several in an entry of Pulsar: how many they are, nobody says. */
  readonly isPart: boolean;
}

function placeOf(position: string): Place {
  const kafka = /^(\d+)@(\d+)$/.exec(position);
  if (kafka !== null)
    return { position, space: kafka[1] as string, at: Number(kafka[2]), ledger: Number.NaN, isPart: false };
  const pulsar = /^(\d+):(\d+)(:\d+)?$/.exec(position);
  if (pulsar === null) return { position, space: position, at: 0, ledger: Number.NaN, isPart: false };
  const [, ledger = '', entry, index] = pulsar;
  return { position, space: `${ledger}:`, at: Number(entry), ledger: Number(ledger), isPart: index !== undefined };
}
