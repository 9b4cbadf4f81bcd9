import type { Message } from '../message.ts';

const reasons = new WeakMap<Message, unknown>();

/** Marks a message that stands for a record nobody could read: its handling fails with `reason`, so that it goes the way of every failure. */
export function markUnreadable(message: Message, reason: unknown): Message {
  reasons.set(message, reason);
  return message;
}

/** Why a message cannot be read; undefined for all others. Such a message always has `raw`, which spares the others the look-up. */
export const unreadableReason = (message: Message): unknown =>
  message.raw === undefined ? undefined : reasons.get(message);
