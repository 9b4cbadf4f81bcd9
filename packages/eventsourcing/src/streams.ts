import type { StreamId } from '@bento-bus/core';

/** A string that two streams share only when they are the same one, whatever characters their names have. */
export const streamKey = (stream: StreamId): string => `${stream.type.length}:${stream.type}${stream.id}`;

/** How errors and logs name a stream. */
export const streamName = (stream: StreamId): string => `${stream.type}/${stream.id}`;
