import { setTimeout as delay } from 'node:timers/promises';
import { BentoError, type EventStore, type Transport } from '@bento-bus/core';
import type { Projector, Relay } from '@bento-bus/eventsourcing';
import { shippingNotifications } from './application/shipping-notifications.ts';

/** How long to wait, and what to tell meanwhile. */
export interface CaughtUpOptions {
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** `done` of at least `total` events are in the read models. */
  readonly onProgress: (done: number, total: number) => void;
}

/** What has to have done its work. */
export interface CaughtUpParts {
  readonly store: EventStore;
  readonly relay: Relay;
  readonly transport: Transport;
  readonly projector: Projector;
}

/** A backend that knows what a group has yet to handle; others leave it to the processes that keep running. */
type Backlog = Transport & { backlog(group: string): number };
const knowsBacklog = (transport: Transport): transport is Backlog => 'backlog' in transport;

const pollMs = 5;

/**
 * Resolves when the read models hold everything committed before the call, and, on a backend that knows, its notifications are sent.
 * Rejects when an event failed for good, at the time-out, on the signal, and when the relay stops.
 */
export async function caughtUp(parts: CaughtUpParts, options: CaughtUpOptions): Promise<void> {
  const { relay } = parts;
  // A relay that stops rejects; nothing would ever be caught up.
  await Promise.race([readModelsAndNotifications(parts, options), relay.closed]);
}

async function readModelsAndNotifications(parts: CaughtUpParts, options: CaughtUpOptions): Promise<void> {
  const { projector, relay, store, transport } = parts;
  const { onProgress, signal, timeoutMs } = options;
  const deadline = performance.now() + timeoutMs;
  const to = await store.head();
  await projector.caughtUp({
    to,
    signal,
    timeoutMs,
    onProgress: ({ events, behind }) => onProgress(events, events + behind),
  });
  if (!knowsBacklog(transport)) return;
  while (relay.position < to || transport.backlog(shippingNotifications) > 0) {
    if (performance.now() > deadline) throw lateNotifications(timeoutMs);
    if (signal.aborted)
      throw new BentoError('ABORTED', 'order-app: cannot wait for the notifications: it was interrupted.');
    await delay(pollMs);
  }
}

const lateNotifications = (timeoutMs: number): BentoError =>
  new BentoError(
    'TIMEOUT',
    `order-app: cannot send all shipping notifications within ${timeoutMs / 1_000} s: the notifier fails or is slow. LOG_LEVEL=debug shows why; what is not sent is sent by the next run.`,
    true,
  );
