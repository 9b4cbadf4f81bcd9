import type { Buffer } from 'node:buffer';

/** What is used of a `Client` of pulsar-client; its own class fits. Structural, since the package is an optional peer. */
export interface NativeClient {
  createProducer(config: NativeProducerConfig): Promise<NativeProducer>;
  subscribe(config: NativeConsumerConfig): Promise<NativeConsumer>;
  close(): Promise<unknown>;
}

export interface NativeProducerConfig {
  topic: string;
  producerName?: string;
  sendTimeoutMs?: number;
  maxPendingMessages?: number;
  blockIfQueueFull?: boolean;
  messageRoutingMode?: 'UseSinglePartition';
  batchingEnabled?: boolean;
  batchingMaxPublishDelayMs?: number;
  batchingMaxMessages?: number;
  batchingType?: 'DefaultBatching' | 'KeyBasedBatching';
}

export interface NativeProducer {
  send(message: NativeOutgoing): Promise<NativeMessageId>;
  flush(): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface NativeOutgoing {
  data: Buffer;
  properties?: { [key: string]: string };
  partitionKey?: string;
  deliverAt?: number;
}

export interface NativeConsumerConfig {
  topic: string;
  subscription: string;
  subscriptionType: 'Exclusive' | 'Shared' | 'KeyShared' | 'Failover';
  consumerName: string;
  receiverQueueSize: number;
  batchIndexAckEnabled: boolean;
  batchReceivePolicy: { maxNumMessages: number; maxNumBytes: number; timeoutMs: number };
}

export interface NativeConsumer {
  receive(): Promise<NativeMessage>;
  batchReceive(): Promise<NativeMessage[]>;
  acknowledgeId(messageId: NativeMessageId): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface NativeMessage {
  getProperties(): { [key: string]: string };
  getData(): Buffer;
  getMessageId(): NativeMessageId;
  getPublishTimestamp(): number;
  getPartitionKey(): string;
}

export interface NativeMessageId {
  serialize(): Buffer;
}
