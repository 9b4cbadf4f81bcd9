import { type AsyncApiDocument, asyncApi } from '@bento-bus/codecs/documents';
import { creditNoteEvents, orderEvents } from './domain/events.ts';

/** What the application publishes and reads, as an AsyncAPI document; `asyncapi.json` is its snapshot. */
export const orderDocument = (): AsyncApiDocument =>
  asyncApi([orderEvents, creditNoteEvents], {
    title: 'Order app',
    version: '1.0.0',
    description:
      'What happens to orders. Bodies are JSON, or with MESSAGE_CODEC Avro or Protobuf by the files in schemas.',
    servers: {
      kafka: { host: 'localhost:9092', protocol: 'kafka', description: 'As `npm run stack -- up kafka` starts it.' },
      pulsar: { host: 'localhost:6650', protocol: 'pulsar', description: 'As `npm run stack -- up pulsar` starts it.' },
    },
    pulsar: { namespace: 'default' },
  });
