import { Buffer } from 'node:buffer';
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { TlsMaterial } from './security/tls.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Until the answer is read. Milliseconds. */
  readonly timeoutMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Enough to be quick, few enough not to take all the broker's threads. */
const maxSockets = 16;

/** HTTP with connections that are kept. Not `fetch`: on Node.js 20 it takes no certificates without the package `undici`. */
export class Http {
  readonly #tls: TlsMaterial;
  readonly #agents: readonly [HttpAgent, HttpsAgent];

  constructor(tls: TlsMaterial) {
    this.#tls = tls;
    const options = { keepAlive: true, maxSockets };
    this.#agents = [new HttpAgent(options), new HttpsAgent({ ...options, ...tls })];
  }

  /** Rejects with Node's error, or a `TimeoutError`; an answer with any status is no fault. */
  request(url: string, { method, headers, body, timeoutMs }: HttpRequest): Promise<HttpAnswer> {
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs)));
    const secure = url.startsWith('https:');
    const data = body === undefined ? undefined : Buffer.from(body);
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(signal.aborted ? (signal.reason as Error) : error);
      const options = {
        method,
        signal,
        headers: { ...headers, ...(data !== undefined && { 'content-length': String(data.length) }) },
      };
      const sent = secure
        ? httpsRequest(url, { ...options, ...this.#tls, agent: this.#agents[1] })
        : httpRequest(url, { ...options, agent: this.#agents[0] });
      sent.on('error', fail);
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      });
      sent.end(data);
    });
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }
}
