import type { BentoError } from '@bento-bus/core';
import type { TopicName } from './names.ts';
import type { MessagePosition } from './position.ts';

/** Pulsar's subscription types. */
export type SubscriptionType = 'Key_Shared' | 'Shared' | 'Failover' | 'Exclusive';

/** A message as Pulsar takes it. Properties are text. */
export interface OutgoingMessage {
  readonly key: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Epoch milliseconds. */
  readonly deliverAt: number | undefined;
}

/** A message ready to be sent, any number of times. */
export interface EncodedMessage {
  /** What counts against the limit of a frame. */
  readonly bytes: number;
  readonly wire: unknown;
}

/** A message as Pulsar gives it. */
export interface IncomingMessage {
  readonly position: MessagePosition;
  /** What the driver acknowledges with. */
  readonly handle: unknown;
  readonly key: string | undefined;
  readonly properties: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Epoch milliseconds. */
  readonly publishTime: number;
}

/** Events of what a driver opened. After `onClose`, which comes at most once and not after `close`, nothing comes. */
interface Ends {
  readonly onClose: (error: BentoError) => void;
}

export interface ProducerEvents extends Ends {
  /** Stored. */
  readonly onAck: (sequence: number, position: () => MessagePosition) => void;
  /** Not stored, or not known to be. */
  readonly onFailure: (sequence: number, error: BentoError) => void;
}

export interface ProducerOptions {
  /** One at a time may have it; else a conflict. @default one of the broker's making */
  readonly name?: string;
  /** The broker's side (native: this side) joins messages: order of keys is lost to Key_Shared consumers, except where batches are made by key. */
  readonly batching?: boolean;
  /** Messages that will be in flight. */
  readonly window: number;
}

/** Sends in the order of its calls. */
export interface DriverProducer {
  send(sequence: number, message: EncodedMessage): void;
  /** Resolves when the broker has let go of it, or after a bound. Never rejects. */
  close(): Promise<void>;
}

export interface ConsumerEvents extends Ends {
  readonly onMessage: (message: IncomingMessage) => void;
}

export interface ConsumerOptions {
  readonly subscription: string;
  readonly type: SubscriptionType;
  readonly name: string;
  /** Messages that are fetched ahead. */
  readonly queue: number;
}

export interface DriverConsumer {
  /** As many more messages may come. */
  permit(count: number): void;
  /** Sends the acknowledgement. */
  ack(handle: unknown): void;
  /** Flushes acknowledgements first. Never rejects. */
  close(): Promise<void>;
}

export interface DriverReader {
  close(): Promise<void>;
}

/** A way to Pulsar. Everything above it is the same for all. Rejections are `BentoError`s; a name or subscription that is taken: `GROUP_CONFLICT`. */
export interface Driver {
  readonly kind: 'websocket' | 'native';
  /** Producers come back by themselves after a loss of the connection, and their user learns nothing of it. */
  readonly reconnects: boolean;
  encode(message: OutgoingMessage): EncodedMessage;
  openProducer(topic: TopicName, options: ProducerOptions, events: ProducerEvents): Promise<DriverProducer>;
  openConsumer(topic: TopicName, options: ConsumerOptions, events: ConsumerEvents): Promise<DriverConsumer>;
  /** Reads one topic or partition on and on, from after `after`. Of one name and topic there is at most one at a time. */
  openReader(topic: TopicName, name: string, after: MessagePosition, events: ConsumerEvents): Promise<DriverReader>;
  close(): Promise<void>;
}
