import { canReadCheckpoint, type EventStore, type Transport } from '@bento-bus/core';
import type { RelayStatus } from './operations.ts';

/** Events counted behind the relay, at most. */
const mostCounted = 1_000;

/** How far a log is published: by the relay at hand, or by the checkpoint that it left with the backend. */
export async function relayStatus(
  store: EventStore,
  transport: () => Promise<Transport>,
  relay: { readonly position: string; readonly closed: Promise<void> } | undefined,
): Promise<RelayStatus> {
  const head = await store.head();
  if (relay === undefined) {
    const backend = await transport();
    const position = canReadCheckpoint(backend) ? ((await backend.checkpointOf(store.identity)) ?? '') : '';
    return { position, head, state: 'unknown', ...(await behind(store, position, head)) };
  }
  const state = await Promise.race([relay.closed.then(stopped, stopped), nextTurn()]);
  const { position } = relay;
  return { position, head, state, ...(await behind(store, position, head)) };
}

const stopped = (): 'stopped' => 'stopped';
/** By then a relay that has stopped has said so. */
const nextTurn = (): Promise<'running'> => new Promise((resolve) => setImmediate(resolve, 'running'));

async function behind(store: EventStore, position: string, head: string): Promise<{ readonly behind?: number }> {
  if (position >= head) return { behind: 0 };
  let count = 0;
  for await (const _ of store.readAll(position, { limit: mostCounted + 1 })) count += 1;
  return count > mostCounted ? {} : { behind: count };
}
