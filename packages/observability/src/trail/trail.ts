import {
  configurationError,
  type DeliveryHandler,
  isBentoError,
  type Message,
  type PublishError,
} from '@bento-bus/core';
import type { Instrument, Publishing, SubscriptionWatch, Watched } from '../instrument.ts';
import { attemptOf, type Facts, isPutBack, type TrailMessage } from './message.ts';
import { errorOf, type Failure, type OpenStep, Remembered } from './remembered.ts';
import { type TrailTree, treeOf } from './tree.ts';

/** Remembers what happened to which message. Hand it to `instrument`. */
export interface Trail extends Instrument {
  /** One message; undefined: it was never here, or is forgotten. */
  of(id: string): TrailMessage | undefined;
  /** The message between what it came from and what it caused, as far as it is remembered. */
  tree(id: string): TrailTree<TrailMessage> | undefined;
  /** Events of one aggregate, in the order in which they were seen. */
  byStream(type: string, id: string): readonly TrailMessage[];
  /** All messages of one flow, with the one that began it, in the order in which they were seen. */
  byCorrelation(correlationId: string): readonly TrailMessage[];
}

/** Options of {@link createTrail}. */
export interface TrailOptions {
  /** Messages that are remembered; then the one that was seen first is forgotten. About 1 kB each. @default 10_000 */
  readonly capacity?: number;
  /** Steps remembered of one message: its first, and the last. @default 50 */
  readonly maxSteps?: number;
}

/**
 * The trail of messages through this process: what was published and handled through the transport that it instruments, in memory. What
 * another process does with them is not seen, and `findTrail` asks the backend. How a try ended is what the handler says, inside of all
 * middleware; what middleware kept from the handler is no try.
 * Bodies are not kept. Takes a few microseconds a message; look-ups other than `of` read through all that is remembered.
 */
export function createTrail(options: TrailOptions = {}): Trail {
  const { capacity = 10_000, maxSteps = 50 } = options;
  const faults = Object.entries({ capacity, maxSteps })
    .filter(([, value]) => !(Number.isSafeInteger(value) && value >= 2))
    .map(([name, value]) => `${name} must be a whole number from 2, not ${String(value)}`);
  if (faults.length > 0) throw configurationError('observability: cannot make a trail', faults);
  // In the order in which they were seen first. The ring says which is the oldest: to ask the map takes long once much was deleted.
  const remembered = new Map<string, Remembered>();
  const ring: string[] = [];
  let turn = 0;
  const recordOf = (message: Message, topic: string): Remembered => {
    const known = remembered.get(message.id);
    if (known !== undefined) return known;
    const made = new Remembered(message, topic, maxSteps);
    const oldest = ring[turn];
    if (oldest !== undefined) remembered.delete(oldest);
    ring[turn] = message.id;
    turn = (turn + 1) % capacity;
    remembered.set(message.id, made);
    return made;
  };
  const those = (wanted: (facts: Facts) => boolean): readonly TrailMessage[] =>
    Array.from(remembered.values())
      .filter(({ facts }) => wanted(facts))
      .map((one) => one.told());

  return {
    of: (id) => remembered.get(id)?.told(),
    byStream: (type, id) => those(({ streamId, streamType }) => streamId === id && streamType === type),
    byCorrelation: (correlationId) => those((facts) => facts.correlationId === correlationId),
    tree(id) {
      const flow = remembered.get(id)?.facts.correlationId;
      return treeOf(
        those((facts) => facts.correlationId === flow),
        id,
      );
    },
    publishing(topic, messages): Publishing {
      const began = Date.now();
      const steps = messages.map((message) =>
        isPutBack(message) ? undefined : recordOf(message, topic).sent(topic, message, began),
      );
      return { messages, end: (error) => sendEnded(steps, began, error) };
    },
    subscribing({ options: { group, use = [] } }: Watched): SubscriptionWatch {
      return {
        ...(use.length > 0 && {
          use: (next: DeliveryHandler) => (delivery, signal) => {
            const record = recordOf(delivery.message, delivery.topic);
            const passage = record.enter(group, delivery);
            return ending(
              () => next(delivery, signal),
              (failure) => record.leave(passage, failure),
            );
          },
        }),
        inside: (next: DeliveryHandler) => (delivery, signal) => {
          const record = recordOf(delivery.message, delivery.topic);
          const began = Date.now();
          return ending(
            () => next(delivery, signal),
            (failure) => record.tried({ group, delivery, began }, failure),
          );
        },
        exhausted: (take) => (delivery, reason) => {
          const { message, topic } = delivery;
          recordOf(message, topic).add({
            kind: 'exhausted',
            at: Date.now(),
            topic,
            group,
            attempt: attemptOf(delivery),
            ...errorOf(reason),
          });
          return take(delivery, reason);
        },
      };
    },
  };
}

/** What the backend did not confirm says so. */
function sendEnded(steps: readonly (OpenStep | undefined)[], began: number, error: unknown): void {
  const failed = isBentoError(error, 'PUBLISH') ? (error as PublishError).failed : undefined;
  const durationMs = Date.now() - began;
  for (const [index, step] of steps.entries()) {
    if (step === undefined) continue;
    step.durationMs = durationMs;
    if (error !== undefined && (failed?.includes(index) ?? true)) Object.assign(step, errorOf(error));
  }
}

/** A handler written in JavaScript may throw, or return no promise. */
function ending(call: () => Promise<void>, ended: (failure: Failure) => void): Promise<void> {
  const failed = (error: unknown): never => {
    ended({ error });
    throw error;
  };
  try {
    return Promise.resolve(call()).then(() => ended(undefined), failed);
  } catch (error) {
    return Promise.reject(error).catch(failed);
  }
}
