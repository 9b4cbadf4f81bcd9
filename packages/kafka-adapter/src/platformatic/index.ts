import { driverOf, type KafkaDriver } from '../driver-choice.ts';
import { createPlatformaticDriver } from './driver.ts';

export type { KafkaDriver } from '../driver-choice.ts';

/**
 * The driver on `@platformatic/kafka`, a peer dependency: `createKafkaTransport({ brokers, driver: platformatic() })`. Options, guarantees
 * and errors are those of the driver on kafkajs; records go to the same partitions, and members by either driver share a group.
 */
export const platformatic = (): KafkaDriver => driverOf('@platformatic/kafka', createPlatformaticDriver);
