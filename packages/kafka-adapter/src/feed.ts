import { type Lanes, readRecord, type WireFormat } from '@bento-bus/core/adapter';
import type { FetchedBatch, FetchedRecord } from './driver.ts';
import { type Entry, entryOf, type KafkaDelivery, positionOf, type Tracker } from './tracker.ts';

/** How long a partition may hold up the others of its broker before it is paused. Milliseconds. */
const patienceMs = 500;

/** How often a wait is interrupted to beat. Milliseconds. */
const beatMs = 100;

/**
 * Hands what was fetched to the lanes, partition by partition and in order, as far as there is room. What is fetched is kept until then
 * and never fetched again; at half a batch left the next fetch is welcome, so that handlers do not wait for it.
 */
export class Feed {
  readonly #lanes: Lanes<Entry>;
  readonly #format: WireFormat;
  readonly #resume: (tracker: Tracker) => void;
  readonly #maxInFlight: number;
  #stopped = false;

  constructor(lanes: Lanes<Entry>, format: WireFormat, maxInFlight: number, resume: (tracker: Tracker) => void) {
    this.#lanes = lanes;
    this.#maxInFlight = maxInFlight;
    this.#format = format;
    this.#resume = resume;
  }

  /** Takes a batch. Resolves when its partition may be fetched again: true; or is to be paused for now: false. */
  async take(tracker: Tracker, batch: FetchedBatch, heartbeat: () => Promise<void>): Promise<boolean> {
    tracker.next = Math.max(tracker.next, batch.next);
    if (batch.records.length > 0) {
      tracker.queue.push(batch);
      tracker.queued += batch.records.length;
      tracker.lowWater = batch.records.length >> 1;
    }
    this.pump(tracker);
    const until = Date.now() + patienceMs;
    while (this.#isFull(tracker)) {
      const left = until - Date.now();
      if (left <= 0) return false;
      await emptied(tracker, Math.min(left, beatMs));
      await heartbeat();
    }
    return true;
  }

  pump(tracker: Tracker): void {
    if (tracker.pumping) return;
    const { queue, watermark } = tracker;
    while (queue.length > 0 && !tracker.full && !tracker.dropped && !this.#stopped) {
      if (watermark.unfinished >= this.#maxInFlight) {
        tracker.starved = true;
        break;
      }
      const batch = queue[0] as FetchedBatch;
      const next = tracker.waiting ?? this.#read(tracker, batch.records[tracker.index] as FetchedRecord);
      if (next !== undefined) {
        const room = this.#lanes.room(next.delivery);
        if (room !== undefined) {
          tracker.waiting = next;
          tracker.pumping = true;
          void room.finally(() => {
            tracker.pumping = false;
            this.pump(tracker);
          });
          break;
        }
        tracker.waiting = undefined;
        if (!this.#lanes.push(next.delivery, next.delivery[entryOf], next.condemned)) return;
      }
      tracker.queued -= 1;
      tracker.index += 1;
      if (tracker.index < batch.records.length) continue;
      queue.shift();
      tracker.index = 0;
    }
    if (this.#isFull(tracker)) return;
    tracker.onLowWater?.();
    if (tracker.paused && !this.#stopped) this.#resume(tracker);
  }

  /** One of the partition's messages is done: half of them gone, more are handed over. */
  settled(tracker: Tracker): void {
    if (!tracker.starved || tracker.watermark.unfinished > this.#maxInFlight / 2) return;
    tracker.starved = false;
    // The lanes are in the middle of something.
    queueMicrotask(() => this.pump(tracker));
  }

  /** Nothing more goes to the lanes. */
  stop(trackers: Iterable<Tracker>): void {
    this.#stopped = true;
    for (const tracker of trackers) tracker.onLowWater?.();
  }

  #isFull({ queued, lowWater, dropped }: Tracker): boolean {
    return queued > lowWater && !dropped && !this.#stopped;
  }

  /** Undefined: the record is known already. */
  #read(tracker: Tracker, record: FetchedRecord): { delivery: KafkaDelivery; condemned: unknown } | undefined {
    const { offset } = record;
    const handle = tracker.watermark.add(Number(offset));
    if (handle === undefined) return undefined;
    const { topic, partition, guard } = tracker;
    const position = positionOf(partition, offset);
    const message = readRecord(this.#format, {
      topic,
      key: record.key,
      headers: record.headers ?? {},
      body: record.value,
      timestamp: Number(record.timestamp),
      position,
    });
    const { attempt, condemned } = guard.take(offset);
    const entry: Entry = { tracker, offset, handle, started: attempt - 1 };
    return { delivery: { topic, message, attempt, position, [entryOf]: entry }, condemned };
  }
}

/** Resolves when the partition's queue has shrunk, and after `ms` at the latest. */
function emptied(tracker: Tracker, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      tracker.onLowWater = undefined;
      resolve();
    };
    const timer = setTimeout(end, ms);
    tracker.onLowWater = end;
  });
}
