// Latency at a steady rate, for what `measure` cannot express: operations a second say nothing of it.
import { setTimeout } from 'node:timers/promises';

/** Messages a second. */
export const rate = 1_000;

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Calls `send` at the rate for so many seconds; resolves with the median of what arrived in `times` meanwhile. */
export async function paced(seconds, send, times) {
  const count = seconds * rate;
  const from = times.length;
  const start = performance.now();
  for (let sent = 0; sent < count; await setTimeout(1))
    for (const due = Math.min(count, ((performance.now() - start) * rate) / 1_000); sent < due; sent += 1) send(sent);
  while (times.length - from < count) await setTimeout(10);
  // The first second warms up.
  return median(times.slice(from + rate));
}
