import { randomUUID } from 'node:crypto';
import { BentoError, type Delivery, isBentoError, type MessagingAdmin, type Transport } from '@bento-bus/core';
import { deferred } from '@bento-bus/core/adapter';
import type { SeenMessage, TailOptions } from './operations.ts';

/** What the groups of tails are called. */
export const tailPrefix = 'bento-tail-';

/** Messages in hand at once. */
const window = 100;

/**
 * Messages of a topic as they come, through a group of its own that is deleted at the end. At most {@link window} are in memory: who reads
 * slowly holds the transport back.
 */
export async function* tail(
  admin: MessagingAdmin,
  transport: Transport,
  topic: string,
  { from = 'latest', limit = Number.POSITIVE_INFINITY, idleMs, signal }: TailOptions = {},
): AsyncGenerator<SeenMessage, void, undefined> {
  // A transport would make it.
  await admin.describeTopic(topic);
  const group = `${tailPrefix}${randomUUID()}`;
  const waiting: { readonly delivery: Delivery; readonly taken: () => void }[] = [];
  let wake = deferred();
  let failure: { readonly error: unknown } | undefined;
  let over = false;
  const take = (delivery: Delivery): Promise<void> => {
    if (over) return Promise.reject(ended(topic));
    const { promise, resolve } = deferred();
    waiting.push({ delivery, taken: resolve });
    wake.resolve();
    return promise;
  };
  const state = { left: signal?.aborted === true };
  const stop = (): void => {
    state.left = true;
    wake.resolve();
  };
  signal?.addEventListener('abort', stop, { once: true });
  const subscription = await transport.subscribe([topic], take, {
    group,
    startPosition: from,
    ordering: 'none',
    concurrency: window,
    drainMs: 1,
    // What is no message is shown as it is.
    unreadable: take,
  });
  subscription.closed.catch((error: unknown) => {
    failure = { error };
    wake.resolve();
  });
  try {
    for (let shown = 0; shown < limit && !state.left; ) {
      const next = waiting.shift();
      if (next !== undefined) {
        const { message, position } = next.delivery;
        next.taken();
        shown += 1;
        yield { topic, position, message };
        continue;
      }
      if (failure !== undefined) throw failure.error;
      wake = deferred();
      if (!(await inTime(wake.promise, idleMs))) return;
    }
  } finally {
    over = true;
    signal?.removeEventListener('abort', stop);
    // It is given up, not handled: nothing waits for it.
    for (const { taken } of waiting.splice(0)) taken();
    await subscription.close();
    await forget(admin, group, topic);
  }
}

/** False: the time is over. */
async function inTime(promise: Promise<void>, ms: number | undefined): Promise<boolean> {
  if (ms === undefined) return promise.then(() => true);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function forget(admin: MessagingAdmin, group: string, topic: string): Promise<void> {
  try {
    await admin.deleteGroup(group, [topic]);
  } catch (error) {
    if (!isBentoError(error, 'UNKNOWN_GROUP') && !isBentoError(error, 'UNKNOWN_TOPIC')) throw error;
  }
}

const ended = (topic: string): BentoError =>
  new BentoError('ABORTED', `admin: cannot show a message of "${topic}": nobody looks any more.`, true);
