import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type PageFile, readPageFiles } from './page-files.ts';

/** Nothing but files of this server, no inline script, no inline style, in no frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the page at `/` and what it loads under `/assets/`. The files are read once, here, and kept in memory;
 * browsers keep them too and ask, by `ETag`, whether they still hold.
 */
export async function registerPage(server: FastifyInstance): Promise<void> {
  for (const file of await readPageFiles()) {
    const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => send(file, request, reply);
    server.get(file.name === 'index.html' ? '/' : `/assets/${file.name}`, { schema: { hide: true } }, answer);
  }
}

function send({ bytes, type, etag }: PageFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers({
    'cache-control': 'no-cache',
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    etag,
  });
  if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.header('content-type', type).send(bytes);
}

/** `If-None-Match` compares weakly, RFC 9110 section 13.1.2: a proxy may have marked the tag as weak. */
const isKnown = (header: string | undefined, etag: string): boolean =>
  header !== undefined && (header === '*' || header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag));
