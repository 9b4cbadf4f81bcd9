export type {
  NativeClient,
  NativeConsumer,
  NativeConsumerConfig,
  NativeMessage,
  NativeMessageId,
  NativeOutgoing,
  NativeProducer,
  NativeProducerConfig,
} from './client.ts';
export { loadNative, type NativeClientConfig, type NativeModule, nativeUnavailable } from './load.ts';
