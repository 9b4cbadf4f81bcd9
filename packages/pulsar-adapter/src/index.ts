export type { SubscriptionType } from './driver.ts';
export type { PulsarTransportOptions } from './options.ts';
export { createPulsarTransport, type PulsarTransport } from './transport.ts';
