// What the kit's processes load: a client of the broker that the environment names.
import type { TransportModule } from '@bento-bus/conformance';
import { createPulsarTransport, type PulsarTransportOptions } from '@bento-bus/pulsar-adapter';

export const createTransport: TransportModule['createTransport'] = ({ KIT_OPTIONS = '{}' }) =>
  createPulsarTransport(JSON.parse(KIT_OPTIONS) as PulsarTransportOptions);
