import type { BentoError, Logger } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import type { ConsumerEvents, DriverConsumer, IncomingMessage } from '../driver.ts';
import { toBentoError } from '../errors.ts';
import { decodeMessageId, type MessagePosition } from '../position.ts';
import type { NativeConsumer, NativeMessage, NativeMessageId } from './client.ts';

/** Messages in one call of the addon. */
export const batchSize = 100;
/** What was gathered is given on after this long; it only counts when messages come faster than one by one. Milliseconds. */
export const gatherMs = 1;
/** Below it, messages are taken one by one: without a wait. */
const worthGathering = 8;

/** Takes messages while they are permitted; a few more may come, as the addon gives them by batches. */
export function pullingConsumer(
  consumer: NativeConsumer,
  events: ConsumerEvents,
  context: {
    readonly what: string;
    readonly logger: Logger;
    readonly closeMs: number;
    readonly close: () => Promise<void>;
  },
): DriverConsumer & { readonly fail: (error: BentoError) => void } {
  const { what, logger, closeMs, close } = context;
  let permits = 0;
  let pulling = false;
  let ended = false;
  let acking = 0;
  let onAcked: (() => void) | undefined;

  const give = (messages: readonly NativeMessage[]): number => {
    permits = Math.max(0, permits - messages.length);
    for (const message of messages) events.onMessage(incoming(message));
    return messages.length;
  };
  const isWanted = (): boolean => permits > 0 && !ended;
  const pull = async (): Promise<void> => {
    if (pulling) return;
    pulling = true;
    try {
      for (let last = 0; isWanted(); ) {
        // A single message at once, then those that came meanwhile.
        if (last < worthGathering) give([await consumer.receive()]);
        last = give(await consumer.batchReceive());
      }
    } catch (error) {
      fail(toBentoError(error, what));
    } finally {
      pulling = false;
    }
  };
  const fail = (error: BentoError): void => {
    if (ended) return;
    ended = true;
    void close();
    events.onClose(error);
  };
  const ack = async (id: NativeMessageId): Promise<void> => {
    acking += 1;
    try {
      await consumer.acknowledgeId(id);
    } catch (error) {
      logger.debug('pulsar-adapter: an acknowledgement failed; the message will come again', { error });
    }
    acking -= 1;
    if (acking === 0) onAcked?.();
  };

  return {
    permit: (count) => {
      permits += count;
      void pull();
    },
    fail,
    ack: (handle) => void ack(handle as NativeMessageId),
    close: async () => {
      ended = true;
      const acked = new Promise<void>((resolve) => {
        onAcked = resolve;
      });
      if (acking > 0) await withDeadline(acked, closeMs, () => {});
      await close();
    },
  };
}

export const positionOf = (id: NativeMessageId): MessagePosition => decodeMessageId(id.serialize());

function incoming(message: NativeMessage): IncomingMessage {
  const id = message.getMessageId();
  return {
    position: positionOf(id),
    handle: id,
    key: message.getPartitionKey(),
    // Its prototype may come from another realm.
    properties: { ...message.getProperties() },
    body: message.getData(),
    publishTime: message.getPublishTimestamp(),
  };
}
