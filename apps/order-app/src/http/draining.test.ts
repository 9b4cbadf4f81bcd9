import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from '@jest/globals';
import fastify from 'fastify';
import { drainConnections } from './draining.ts';

it('a request that was sent by half does not keep a server from closing', async () => {
  const server = fastify();
  drainConnections(server, 50);
  server.post('/', async () => 'done');
  await server.listen({ host: '127.0.0.1', port: 0 });
  const { port } = server.server.address() as AddressInfo;
  const half = connect(port, '127.0.0.1').on('error', () => {});
  const received = once(server.server, 'request');
  half.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a"');
  await received;
  const cut = once(half, 'close');
  await server.close();
  await cut;
  expect(server.server.listening).toBe(false);
});
