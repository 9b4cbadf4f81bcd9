import type { BentoError } from '@bento-bus/core';

/** Told when the broker does not take the credentials any more. */
export interface Refusals {
  /** Stop being told by calling what it gives. */
  watch(onRefused: (error: BentoError) => void): () => void;
  /** There is a sign of it: finds out. One look at a time. */
  look(): Promise<void>;
  /** Rejects while they are not taken. */
  pass(): Promise<void>;
}

/**
 * pulsar-client does not say when it cannot reconnect a producer or consumer for its credentials; these then wait for good. Its log is the
 * sign, `check` (a request with the same credentials) the proof.
 */
export function createRefusals(check: () => Promise<void>): Refusals {
  const watching = new Set<(error: BentoError) => void>();
  let looking = false;
  let refused = false;
  return {
    watch: (onRefused) => {
      watching.add(onRefused);
      return () => watching.delete(onRefused);
    },
    look: async () => {
      if (looking || watching.size === 0) return;
      looking = true;
      try {
        await check();
        refused = false;
      } catch (reason) {
        const error = reason as BentoError;
        refused = isRefused(error);
        if (refused)
          for (const onRefused of watching) {
            watching.delete(onRefused);
            onRefused(error);
          }
      } finally {
        looking = false;
      }
    },
    pass: async () => {
      if (!refused) return;
      await check();
      refused = false;
    },
  };
}

const isRefused = (error: BentoError): boolean => error.code === 'AUTHENTICATION' && !error.retryable;
