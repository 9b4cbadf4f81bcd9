// Uses everything once, closes, and has nothing left that would keep it alive.
import { connect } from './support/harness.ts';
import { eventually, message, unique } from './support/messages.ts';

const transport = connect(process.env['KAFKA_BROKERS'] as string);
const topic = unique('closing');
let handled = 0;
await transport.subscribe(
  [topic],
  async () => {
    handled += 1;
  },
  { group: unique('group') },
);
await transport.publish(topic, [message()]);
const log = await transport.openCheckpointed(unique('log'), { topics: [topic] });
await log.publish([{ topic, message: message(), position: '1' }], '1');
await eventually('handling both', () => handled === 2);
await transport.close();
console.log('closed');
