import type { Transport } from '@bento-bus/core';
import { createKafkaTransport } from '@bento-bus/kafka-adapter';
import { createPulsarTransport } from '@bento-bus/pulsar-adapter';

/** A client of the server that the environment names; `PULSAR_DRIVER=native` takes that one. */
export function openTransport(env: Readonly<Record<string, string | undefined>>): Transport {
  const { DELIVERY_KAFKA: kafka, DELIVERY_PULSAR: webUrl, DELIVERY_PULSAR_SERVICE: serviceUrl, PULSAR_DRIVER } = env;
  if (kafka !== undefined)
    return createKafkaTransport({ brokers: [kafka], partitions: 2, sessionTimeoutMs: 6_000, commitIntervalMs: 50 });
  if (webUrl !== undefined && serviceUrl !== undefined)
    return createPulsarTransport({
      webUrl,
      serviceUrl,
      driver: PULSAR_DRIVER === 'native' ? 'native' : 'websocket',
      partitions: 2,
    });
  throw new Error('no server is named: set DELIVERY_KAFKA, or DELIVERY_PULSAR and DELIVERY_PULSAR_SERVICE');
}
