import { isIPv6, type Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { HttpProblem } from './problems.ts';
import type { Server } from './zod-schemas.ts';

/** The page and all it loads come from this server, and nobody may frame it. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);
const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether an address, or a name, is of this machine only. */
const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(host);

/** A socket of IPv6 has addresses of IPv4 in its own way. */
const plain = (address: string | undefined): string => address?.replace(/^::ffff:/, '') ?? '';

/** Whether the other end of a connection is on this machine. */
export const isOnThisMachine = ({ remoteAddress, localAddress }: Socket): boolean =>
  isLoopback(remoteAddress ?? '') || (remoteAddress !== undefined && remoteAddress === localAddress);

/** By which names a server may be asked, beside its addresses and those of this machine. */
export interface ServerNames {
  /** Where it was told to listen. */
  readonly host: string;
  /** @default none */
  readonly allowedHosts?: readonly string[] | undefined;
}

/** Who may ask what. Headers of every answer. */
export function registerGuards(server: Server, { host, allowedHosts = [] }: ServerNames): void {
  const names = new Set([...loopbackNames, ...[host, ...allowedHosts].map(hostOf)]);
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-correlation-id': request.id,
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
    });
    // A page of another site can make its name point here: then the name that the browser asks for is not ours.
    const asked = hostOf(request.host);
    if (asked === '' || (!names.has(asked) && asked !== hostOf(plain(request.socket.localAddress))))
      throw new HttpProblem(403, refusalOf(asked, server));
    if (safe.has(request.method)) return;
    const { origin } = request.headers;
    if (origin !== undefined && !isOwn(origin, request))
      throw new HttpProblem(403, 'Another site may not change anything here.');
    if (!isOperation(request) && !isJson(request.headers['content-type']))
      throw new HttpProblem(415, 'What is sent must be JSON: content-type: application/json.');
  });
}

/** A name or address without its port, as a browser would write it; `''` of what is none. */
function hostOf(host: string): string {
  const bare = isIPv6(host) ? `[${host}]` : host;
  return URL.canParse(`http://${bare}`) ? new URL(`http://${bare}`).hostname : '';
}

function refusalOf(asked: string, { server }: Server): string {
  const bound = server.address();
  return bound !== null && typeof bound === 'object' && !isLoopback(bound.address)
    ? `This server does not go by the name "${asked}". Ask for it by its address, or add the name to ALLOWED_HOSTS.`
    : 'This server is only for this machine: ask for it as localhost or 127.0.0.1.';
}

const isOwn = (origin: string, { headers }: FastifyRequest): boolean =>
  URL.canParse(origin) && new URL(origin).host === headers.host?.toLowerCase();

const isJson = (type: string | undefined): boolean => type?.split(';')[0]?.trim().toLowerCase() === 'application/json';

/** It has a token. */
const isOperation = ({ url }: FastifyRequest): boolean => url.startsWith('/bento/');
