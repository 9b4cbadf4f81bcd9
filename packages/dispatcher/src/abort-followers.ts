/** What is to be told when a signal aborts, by signal. */
const followers = new WeakMap<AbortSignal, Set<(reason: unknown) => void>>();

/**
 * Calls `follow` once when `signal` aborts, at once when it has; returns the function that takes that back. However many follow a signal,
 * it has one listener of theirs: that of a subscription is shared by all its deliveries, and more than ten would be warned of.
 */
export function followAbort(signal: AbortSignal, follow: (reason: unknown) => void): () => void {
  if (signal.aborted) {
    follow(signal.reason);
    return nothing;
  }
  const all = followers.get(signal) ?? followed(signal);
  all.add(follow);
  return () => {
    all.delete(follow);
  };
}

function followed(signal: AbortSignal): Set<(reason: unknown) => void> {
  const all = new Set<(reason: unknown) => void>();
  const tell = (): void => {
    for (const follow of all) follow(signal.reason);
    all.clear();
  };
  signal.addEventListener('abort', tell, { once: true });
  followers.set(signal, all);
  return all;
}

const nothing = (): void => {};
