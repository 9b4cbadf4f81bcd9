// A relay of a log of N events: resumes, publishes the rest in chunks, prints what is confirmed. Ends by itself when all is published.
import { createPulsarTransport, type PulsarTransportOptions } from '@bento-bus/pulsar-adapter';
import { eventAt, positionAt } from './support/log-topic.ts';

const { options, log, topics, length, chunk } = JSON.parse(process.argv[2] ?? '') as {
  options: PulsarTransportOptions;
  log: string;
  topics: readonly string[];
  length: number;
  chunk: number;
};
const transport = createPulsarTransport(options);
const publisher = await transport.openCheckpointed(log, { topics });
console.log(`resumed ${publisher.resumeAfter}`);
let place = Number(publisher.resumeAfter);
try {
  while (place < length) {
    const to = Math.min(length, place + chunk);
    const items = Array.from({ length: to - place }, (_, index) =>
      eventAt(topics[(place + index) % topics.length] as string, place + 1 + index),
    );
    await publisher.publish(items, positionAt(to));
    place = to;
    console.log(`published ${place}`);
  }
} catch (error) {
  console.log(`ended ${(error as { code?: string }).code} ${(error as Error).message}`);
}
await transport.close();
console.log('closed');
