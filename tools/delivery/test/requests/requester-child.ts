// Asks until it is killed.
import { createJsonCodec } from '@bento-bus/codecs';
import { createMessageBus } from '@bento-bus/core';
import { withRequests } from '@bento-bus/dispatcher';
import { openTransport } from '../support/open-transport.ts';
import { numbersOn } from './catalogue.ts';
import { askMany } from './load.ts';

const topic = process.env['DELIVERY_TOPIC'];
if (topic === undefined) throw new Error('set DELIVERY_TOPIC');
const bus = createMessageBus({ transport: openTransport(process.env), codec: createJsonCodec(), source: '/child' });
await askMany(withRequests(bus, { source: '/child' }), numbersOn(topic), 'child', Number.POSITIVE_INFINITY).ended;
