import { setTimeout } from 'node:timers/promises';

/** Waits until `check` holds; fails with what it waited for. */
export async function until(what: string, check: () => unknown, deadlineMs = 30_000): Promise<void> {
  for (const end = performance.now() + deadlineMs; (await check()) === false; await setTimeout(20))
    if (performance.now() > end) throw new Error(`${what}: not in ${deadlineMs} ms`);
}
