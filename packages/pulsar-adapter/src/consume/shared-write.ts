/** Starts a write, or shares the next one while one is under way. Resolves when what was there at the call is written. */
export type SharedWrite = () => Promise<void>;

/** Calls that come while a write is under way share the one after it. */
export function createSharedWrite(write: () => Promise<void>): SharedWrite {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = (): Promise<void> => {
    const current = write().finally(() => {
      if (running === current) running = undefined;
    });
    running = current;
    return current;
  };
  return () => {
    if (running === undefined) return start();
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return start();
      });
    return next;
  };
}
