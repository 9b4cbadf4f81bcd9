export { createKafkaAdmin, type KafkaAdminOptions } from './admin/admin.ts';
export type { KafkaDriver } from './driver-choice.ts';
export type { KafkaTransportOptions } from './options.ts';
export type { KafkaConnection, KafkaSasl, KafkaTls } from './security.ts';
export { createKafkaTransport, type KafkaTransport } from './transport.ts';
