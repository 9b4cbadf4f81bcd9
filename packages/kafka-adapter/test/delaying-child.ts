// Delays messages and carries them on until it is killed.
import { headerNames } from '@bento-bus/core';
import { connect } from './support/harness.ts';
import { message } from './support/messages.ts';

const { KAFKA_BROKERS = '', TOPIC = '', TENANT = '', COUNT = '0' } = process.env;
const transport = connect(KAFKA_BROKERS, { tenant: TENANT });
const now = Date.now();
const messages = Array.from({ length: Number(COUNT) }, (_, index) =>
  message({
    id: `m${index}`,
    key: `k${index % 7}`,
    headers: { [headerNames.deliverAt]: String(now + 200 + (4_000 * index) / Number(COUNT)) },
  }),
);
await transport.publish(TOPIC, messages);
console.log('published');
