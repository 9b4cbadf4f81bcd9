import type { MessagingAdmin, Transport } from '@bento-bus/core';
import { createInProcessAdmin, type InProcessTransport } from '@bento-bus/inprocess-bus';
import { createKafkaAdmin } from '@bento-bus/kafka-adapter';
import { createPulsarAdmin } from '@bento-bus/pulsar-adapter';
import type { Backend } from './backends.ts';

/** Administration of the backend that a scenario runs on. */
export function openAdmin({ environment }: Backend, transport: Transport): MessagingAdmin {
  const { DELIVERY_KAFKA: kafka, DELIVERY_PULSAR: webUrl } = environment;
  if (kafka !== undefined) return createKafkaAdmin({ brokers: [kafka], partitions: 2 });
  if (webUrl !== undefined) return createPulsarAdmin({ webUrl, partitions: 2 });
  return createInProcessAdmin(transport as InProcessTransport);
}
