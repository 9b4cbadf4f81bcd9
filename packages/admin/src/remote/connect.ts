import { BentoError, isBentoError } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import type { About, Operations, SeenMessage, TailOptions } from '../operations.ts';
import { basePath, methods } from './methods.ts';
import { decode, encode, fromWire, type Line } from './wire.ts';

/** Options of {@link connectOperations}. */
export interface ConnectOptions {
  /** Where the application answers: `http://127.0.0.1:3000`. */
  readonly url: string;
  readonly token: string;
  /** @default the global one */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * Operations of an application that runs, over its endpoint: what `serveOperations` answers. Errors are those of the application;
 * `CONNECTION` where it does not answer or breaks off. `close` ends what is under way.
 */
export function connectOperations(options: ConnectOptions): Operations {
  const ending = new AbortController();
  const remote = new Remote(options, ending.signal);
  const calls = Object.fromEntries(
    Object.entries(methods).map(([name, at]) => [name, (...args: readonly unknown[]) => remote.call(name, args, at)]),
  ) as unknown as Omit<Operations, 'tail' | 'close' | typeof Symbol.asyncDispose>;
  return {
    ...calls,
    about: async () => ({ ...(await calls.about()), remote: true }) satisfies About,
    tail: (topic, given) => remote.tail(topic, given),
    ...closeOnce(async () => ending.abort()),
  };
}

interface Options {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: unknown) => void;
}

class Remote {
  readonly #options: ConnectOptions;
  readonly #ending: AbortSignal;

  constructor(options: ConnectOptions, ending: AbortSignal) {
    this.#options = options;
    this.#ending = ending;
  }

  async call(name: string, args: readonly unknown[], at: number | undefined): Promise<unknown> {
    const { signal, onProgress, ...rest }: Options = at === undefined ? {} : (args[at] ?? {});
    const sent = at === undefined ? args : replaced(args, at, rest);
    for await (const line of this.#lines(name, sent, signal)) {
      if ('progress' in line) onProgress?.(line.progress);
      else if ('error' in line) throw fromWire(line.error);
      else if ('result' in line) return line.result ?? undefined;
    }
    throw this.#broken('it broke off before its answer was complete');
  }

  async *tail(topic: string, { signal, ...rest }: TailOptions = {}): AsyncGenerator<SeenMessage, void, undefined> {
    try {
      for await (const line of this.#lines('tail', [topic, rest], signal)) {
        if ('item' in line) yield line.item as SeenMessage;
        else if ('error' in line) throw fromWire(line.error);
        else return;
      }
    } catch (error) {
      if (signal?.aborted === true && isBentoError(error, 'ABORTED')) return;
      throw error;
    }
    throw this.#broken('it broke off');
  }

  async *#lines(name: string, args: readonly unknown[], signal: AbortSignal | undefined): AsyncGenerator<Line> {
    const { url, token, fetch = globalThis.fetch } = this.#options;
    const signals = [this.#ending, ...(signal === undefined ? [] : [signal])];
    const leave = new AbortController();
    try {
      const response = await fetch(new URL(`${basePath}${name}`, url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: encode(args),
        redirect: 'error',
        signal: AbortSignal.any([...signals, leave.signal]),
      });
      if (!/ndjson/.test(response.headers.get('content-type') ?? ''))
        throw this.#broken(`it answered with status ${response.status}, and not as an application of Bento Bus`);
      for await (const text of linesOf(response.body as AsyncIterable<Uint8Array> | null)) yield decode(text) as Line;
    } catch (error) {
      if (isBentoError(error)) throw error;
      if (signals.some((one) => one.aborted))
        throw new BentoError('ABORTED', `admin: cannot finish "${name}": it was ended.`, true, { cause: error });
      throw this.#broken(reasonOf(error), error);
    } finally {
      leave.abort();
    }
  }

  #broken(why: string, cause?: unknown): BentoError {
    return new BentoError(
      'CONNECTION',
      `admin: cannot ask the application at ${this.#options.url}: ${why}. See whether it runs, and ask again.`,
      true,
      { cause },
    );
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<string> {
  if (body === null) return;
  const decoder = new TextDecoder();
  let rest = '';
  for await (const part of body) {
    rest += decoder.decode(part, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield line;
  }
  if (rest !== '') yield rest;
}

/** fetch says "fetch failed", and its cause why. */
function reasonOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown };
  const text = messageOf(cause);
  return text === '' ? messageOf(error) : text;
}

const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : '';

const replaced = (args: readonly unknown[], at: number, value: unknown): readonly unknown[] => {
  const copy = [...args];
  copy[at] = value;
  return copy;
};
