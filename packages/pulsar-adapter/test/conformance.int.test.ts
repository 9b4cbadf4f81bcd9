import { describeTransport } from '@bento-bus/conformance';
import { createPulsarTransport } from '@bento-bus/pulsar-adapter';
import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { type Broker, startBroker } from './support/harness.ts';
import { harnessOf } from './support/kit-harness.ts';

let broker: Broker;
beforeAll(async () => {
  broker = await startBroker({ own: true });
});
afterAll(() => broker.stop());

const endpoints = {
  get serviceUrl() {
    return broker.serviceUrl;
  },
  get webUrl() {
    return broker.webUrl;
  },
};
describeTransport(
  { describe, it },
  harnessOf(endpoints, 'websocket', createPulsarTransport, () => broker.restart()),
);
