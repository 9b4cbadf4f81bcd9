import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { isOnThisMachine, registerGuards, type ServerNames } from './guards.ts';
import type { Server } from './zod-schemas.ts';

const asked = async (names: ServerNames, host: string): Promise<number> => {
  await using server: Server = fastify();
  server.setErrorHandler((error, _, reply) => reply.code((error as { status: number }).status).send());
  registerGuards(server, names);
  server.get('/', async () => 'fine');
  return (await server.inject({ url: '/', headers: { host } })).statusCode;
};

describe('a server that is asked by a name', () => {
  it.each([
    ['localhost:3000', 200],
    ['127.0.0.1', 200],
    ['[::1]:3000', 200],
    ['shop.example', 200],
    ['proxy.example:9', 200],
    ['[fe80::1]', 200],
    ['evil.example', 403],
    ['10.0.0.1', 403],
    ['no name', 403],
  ])('answers %s with %d, wherever it listens', async (host, status) => {
    const allowedHosts = ['PROXY.example:80', 'fe80::1', 'no name'];
    expect(await asked({ host: 'shop.example', allowedHosts }, host)).toBe(status);
  });
});

describe('a connection', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['::ffff:127.0.0.1', '::ffff:127.0.0.1', true],
    ['10.0.0.5', '10.0.0.5', true],
    ['10.0.0.7', '10.0.0.5', false],
    [undefined, undefined, false],
  ])('from %s to %s: of this machine is %s', (remoteAddress, localAddress, own) => {
    expect(isOnThisMachine({ remoteAddress, localAddress } as Socket)).toBe(own);
  });
});
