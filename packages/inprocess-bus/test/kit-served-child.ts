// What the kit's processes load: a client of the transport that the test serves, broken if it says so.
import type { TransportModule } from '@bento-bus/conformance';
import type { InProcessTransport } from '../src/index.ts';
import { broken } from './broken/costly.ts';
import { connectServed } from './served/client.ts';

export const createTransport: TransportModule['createTransport'] = async ({ SERVED_PORT, BREAK = '' }) => {
  const client = (await connectServed(Number(SERVED_PORT))) as InProcessTransport;
  return broken(client, BREAK);
};
