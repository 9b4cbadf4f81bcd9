import type { CheckpointStore } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';

/** A CheckpointStore that lives as long as the process: for tests, and where starting anew after a crash is wanted. */
export function createMemoryCheckpointStore(): CheckpointStore {
  const values = new Map<string, string>();
  return {
    read: async (name) => values.get(name),
    write: async (name, value) => {
      values.set(name, value);
    },
    ...closeOnce(() => {}),
  };
}
