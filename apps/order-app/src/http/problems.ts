import { STATUS_CODES } from 'node:http';
import { isBentoError, type Logger } from '@bento-bus/core';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { OrderRuleError } from '../domain/errors.ts';

/** An answer that is no success: RFC 9457. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export const problemType = 'application/problem+json';

/** What a route refuses by itself; `rule` names a type of problems under `/problems/`. */
export class HttpProblem extends Error {
  readonly status: number;
  readonly rule: string | undefined;

  constructor(status: number, detail: string, rule?: string) {
    super(detail);
    this.status = status;
    this.rule = rule;
  }
}

/** Input that its schema refuses. */
export class InvalidRequest extends Error {
  readonly errors: NonNullable<Problem['errors']>;

  constructor(part: string, issues: readonly z.core.$ZodIssue[]) {
    super(`The ${partNames[part] ?? part} is not what is wanted.`);
    this.errors = issues.map(({ path, message }) => ({ path: pathText(path), message }));
  }
}

const partNames: Readonly<Record<string, string>> = {
  querystring: 'query',
  params: 'path',
  body: 'body',
  headers: 'header',
};

/** `lines[0].sku`. */
const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`)).join('');

const ruleStatus: Readonly<Record<OrderRuleError['rule'], number>> = {
  'not-found': 404,
  'already-placed': 409,
  'already-recorded': 409,
  'wrong-status': 409,
  'not-paid': 409,
  'invalid-content': 400,
};

type Cause = Pick<Problem, 'status' | 'detail'> & Partial<Pick<Problem, 'type' | 'errors'>>;

/** Messages for people begin with who speaks; over HTTP that is known. */
const told = (message: string): string =>
  message.replace(/^[\w-]+: /, '').replace(/^./, (first) => first.toUpperCase());

function causeOf(error: unknown): Cause {
  if (error instanceof HttpProblem)
    return {
      status: error.status,
      detail: error.message,
      ...(error.rule !== undefined && { type: `/problems/${error.rule}` }),
    };
  if (error instanceof InvalidRequest) return { status: 400, detail: error.message, errors: error.errors };
  if (error instanceof OrderRuleError)
    return { status: ruleStatus[error.rule], detail: told(error.message), type: `/problems/${error.rule}` };
  if (isBentoError(error)) {
    if (error.code === 'CONCURRENCY')
      return { status: 409, detail: told(error.message), type: '/problems/concurrency' };
    if (error.code === 'UNKNOWN_TOPIC' || error.code === 'UNKNOWN_GROUP')
      return { status: 404, detail: told(error.message) };
    if (error.code === 'VALIDATION') return { status: 400, detail: told(error.message) };
    if (['CONNECTION', 'TIMEOUT', 'CLOSED', 'ABORTED', 'REPLICAS'].includes(error.code))
      return {
        status: 503,
        detail: 'A server that the shop needs does not answer, or the shop is closing. Try again.',
      };
  }
  const { statusCode, message } = (error ?? {}) as Partial<FastifyError>;
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return { status: statusCode, detail: message ?? '' };
  return { status: 500, detail: 'The server failed. Its log says why.' };
}

/** What an error is answered with. */
export const statusOf = (error: unknown): number => causeOf(error).status;

/** What is told of an error. */
function problemOf(error: unknown, instance: string): Problem {
  const { status, detail, type = 'about:blank', errors } = causeOf(error);
  return { type, title: STATUS_CODES[status] ?? 'Error', status, detail, instance, ...(errors && { errors }) };
}

/** Answers errors of all routes. */
export const problemHandler =
  (logger: Logger) =>
  (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = problemOf(error, pathOf(request));
    if (problem.status >= 500)
      logger.error('a request failed', {
        correlationId: request.id,
        path: problem.instance,
        status: problem.status,
        error,
      });
    return sendProblem(reply, problem);
  };

const sendProblem = (reply: FastifyReply, problem: Problem): FastifyReply =>
  reply.code(problem.status).header('content-type', problemType).serializer(JSON.stringify).send(problem);

/** Without the query, which may have what is nobody's business. */
export const pathOf = ({ url }: Pick<FastifyRequest, 'url'>): string => url.replace(/\?.*$/s, '');
