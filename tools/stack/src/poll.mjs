import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks every `everyMs` until the answer is truthy, and gives it; `undefined` after `deadlineMs`.
 * Throws what `ask` throws, and the reason of `signal` when that is aborted.
 */
export async function poll(ask, { deadlineMs, everyMs = 50, signal }) {
  const end = performance.now() + deadlineMs;
  for (;;) {
    signal?.throwIfAborted();
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() >= end) return undefined;
    await delay(everyMs);
  }
}
