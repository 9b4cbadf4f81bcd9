import { setTimeout } from 'node:timers/promises';
import { BentoError } from '@bento-bus/core';
import { fullJitter } from '@bento-bus/core/adapter';
import { because, HttpFailure, toBentoError } from '../errors.ts';
import { Http, type HttpAnswer, type HttpRequest } from '../http.ts';
import type { Security } from '../security/security.ts';

export interface RestOptions {
  /** `http://host:port`. */
  readonly url: string;
  readonly security: Security;
  /** For one request, repetitions included. Milliseconds. */
  readonly timeoutMs: number;
}

export interface RequestOptions {
  /** JSON. */
  readonly body?: string;
  /** Statuses that are an answer, not a fault. */
  readonly fine?: readonly number[];
  /** Once more where the connection was lost before the answer came. @default true */
  readonly repeat?: boolean;
}

export interface Answer extends Pick<HttpAnswer, 'status' | 'headers' | 'body'> {
  readonly text: string;
}

const backoff = fullJitter({ baseMs: 50, capMs: 1_000 });

/** Requests to Pulsar's REST API for administration, `/admin/v2`. All rejections are `BentoError`s; `what` says what could not be done. */
export class Rest {
  readonly #options: RestOptions;
  readonly #http: Http;
  #closed = false;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#http = new Http(options.security.tls());
  }

  close(): void {
    this.#closed = true;
    this.#http.close();
  }

  /** The JSON of a GET; undefined: the broker said nothing, or null. */
  async json<T>(what: string, path: string, options: Pick<RequestOptions, 'fine'> = {}): Promise<T | undefined> {
    const { status, text } = await this.request(what, 'GET', path, options);
    return text === '' || status >= 300 ? undefined : ((JSON.parse(text) as T | null) ?? undefined);
  }

  /** Repeated while the broker cannot be reached or is not ready. */
  async request(
    what: string,
    method: HttpRequest['method'],
    path: string,
    { body, fine = [], repeat = true }: RequestOptions = {},
  ): Promise<Answer> {
    const end = performance.now() + this.#options.timeoutMs;
    for (let tries = 1; ; tries += 1) {
      if (this.#closed) throw new BentoError('CLOSED', `pulsar-adapter: cannot ${what}: it is closed. Make a new one.`);
      try {
        const answer = await this.#once(what, method, path, body, end - performance.now());
        if (answer.status < 300 || fine.includes(answer.status)) return answer;
        throw new HttpFailure(answer.status, answer.text);
      } catch (cause) {
        const error = toBentoError(cause, what);
        const wait = backoff(tries);
        if (!error.retryable || !repeat || performance.now() + wait >= end) throw conflictless(error);
        await setTimeout(wait);
      }
    }
  }

  async #once(
    what: string,
    method: HttpRequest['method'],
    path: string,
    body: string | undefined,
    timeoutMs: number,
  ): Promise<Answer> {
    const { url, security } = this.#options;
    const headers = await security.headers().catch((error: unknown) => {
      throw because(error as BentoError, what);
    });
    const answer = await this.#http.request(`${url}/admin/v2/${path}`, {
      method,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      timeoutMs,
      ...(body !== undefined && { body }),
    });
    return { ...answer, text: answer.body.toString() };
  }
}

/** A conflict of administration has nothing to do with groups. */
const conflictless = (error: BentoError): BentoError =>
  error.code === 'GROUP_CONFLICT'
    ? new BentoError('CONFIGURATION', error.message, false, { cause: error.cause })
    : error;
