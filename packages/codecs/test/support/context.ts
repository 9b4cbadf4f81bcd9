import type { CodecContext } from '@bento-bus/core';

/** A message of `topic`. */
export const contextOf = (topic: string, over: Partial<CodecContext> = {}): CodecContext => ({
  topic,
  type: 'order.placed',
  version: 1,
  headers: {},
  ...over,
});
