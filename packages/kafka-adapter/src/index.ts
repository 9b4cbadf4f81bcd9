export { type KafkaTransportOptions } from './options.ts';
export { createKafkaTransport, type KafkaTransport } from './transport.ts';
