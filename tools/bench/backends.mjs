// A transport on each backend, for figures that compare them; brokers are started for it.
import { createInProcessTransport } from '@bento-bus/inprocess-bus';
import { createKafkaTransport } from '@bento-bus/kafka-adapter';
import { createPulsarTransport } from '@bento-bus/pulsar-adapter';
import { startKafka, startPulsar } from '@bento-bus/stack';

const backends = {
  inprocess: async (retention) => ({
    transport: createInProcessTransport({ retention }),
    stop: async () => undefined,
  }),
  kafka: async () => {
    const server = await startKafka();
    return { transport: createKafkaTransport({ brokers: server.brokers, partitions: 4 }), stop: () => server.stop() };
  },
  pulsar: async () => {
    const server = await startPulsar();
    const { serviceUrl, webUrl } = server;
    const transport = createPulsarTransport({ serviceUrl, webUrl, driver: 'websocket' });
    return { transport, stop: () => server.stop() };
  },
};

/** Measures on those named (none: all), one after the other. `retention`: messages that the topics in memory keep. */
export async function onEach(names, retention, measure) {
  for (const [name, begin] of Object.entries(backends)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const { transport, stop } = await begin(retention);
    try {
      console.log(`${name.padEnd(10)} ${await measure(transport)}`);
    } finally {
      await transport.close();
      await stop();
    }
  }
}
