import { setTimeout } from 'node:timers/promises';
import type { Position } from '@bento-bus/core';
import { deferred, withDeadline } from '@bento-bus/core/adapter';
import type { Admin, Storage } from '../admin.ts';
import type { Driver } from '../driver.ts';
import { toBentoError } from '../errors.ts';
import type { TopicName } from '../names.ts';
import { comparePositions, type MessagePosition } from '../position.ts';

/** Properties of every message of a log. */
export const logProperty = 'bento-log';
export const positionProperty = 'bento-position';

export interface StoredContext {
  readonly driver: Driver;
  readonly admin: Admin;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

const pollMs = 20;
/** So often something of others may be on its way into storage without anything of ours being so any more. */
const mostPolls = 50;

/**
 * Positions of the log's items that are stored in a topic or partition behind a message, and where that ends. Only right while the caller
 * has the name of the one producer: what an earlier one sent may still be on its way into storage, which is waited for.
 */
export async function storedBehind(
  part: TopicName,
  after: MessagePosition,
  log: string,
  context: StoredContext,
): Promise<{ readonly positions: readonly Position[]; readonly last: MessagePosition }> {
  const { driver, timeoutMs, signal } = context;
  const { last } = await settledStorage(part, context);
  const positions: Position[] = [];
  if (last === '' || comparePositions(last, after) <= 0) return { positions, last: after };
  const end = deferred();
  const reader = await driver.openReader(part, `bento-reader-${log}`, after, {
    onMessage: ({ position, properties }) => {
      if (properties[logProperty] === log && properties[positionProperty] !== undefined)
        positions.push(properties[positionProperty]);
      if (comparePositions(position, last) >= 0) end.resolve();
    },
    onClose: end.reject,
  });
  const onAbort = (): void => end.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await withDeadline(end.promise, timeoutMs, () => {
      throw toBentoError(
        new DOMException(`its end was not reached in ${timeoutMs} ms`, 'TimeoutError'),
        `read "${part.full}"`,
      );
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    await reader.close();
  }
  return { positions, last };
}

async function settledStorage(part: TopicName, { admin, signal }: StoredContext): Promise<Storage> {
  const none: Storage = { last: '', pending: 0, acknowledged: new Map() };
  for (let polls = 0; ; polls += 1) {
    const storage = (await admin.storage(part)) ?? none;
    if (storage.pending === 0 || polls === mostPolls) return storage;
    await setTimeout(pollMs, undefined, { signal });
  }
}
