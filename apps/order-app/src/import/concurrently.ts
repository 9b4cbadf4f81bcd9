/**
 * Runs `work` on every item, at most `limit` at once, taken in order. Takes no more when `signal` aborts or a call rejects, waits for
 * those at work, and then rejects with what was rejected first.
 */
export async function concurrently<T>(
  items: AsyncGenerator<T>,
  limit: number,
  work: (item: T) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    try {
      while (failures.length === 0 && !signal.aborted) {
        const { done, value } = await items.next();
        if (done === true) return;
        await work(value);
      }
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  await items.return(undefined);
  if (failures.length > 0) throw failures[0];
}
