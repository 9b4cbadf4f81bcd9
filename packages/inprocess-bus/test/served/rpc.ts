import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { isNativeError } from 'node:util/types';
import { BentoError, type ErrorCode, FencedError, PublishError } from '@bento-bus/core';

type Fn = (...args: never[]) => unknown;
type Remote = (...args: unknown[]) => Promise<unknown>;

interface Line {
  readonly call?: number;
  readonly fn?: number;
  readonly args?: readonly unknown[];
  readonly answer?: number;
  readonly value?: unknown;
  readonly abort?: number;
}

/**
 * Calls of one function of the other side, and of all functions that arguments and answers bring along; abort signals, bytes and errors stay
 * what they are. JSON, a line each.
 */
export class Rpc {
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  /** The other side's first function. */
  readonly remote: Remote;
  readonly #socket: Socket;
  /** Number 0 is the first one. */
  readonly #own: Fn[];
  readonly #signals = new Map<number, AbortController>();
  readonly #signalIds = new WeakMap<AbortSignal, number>();
  readonly #pending = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  #count = 0;

  constructor(socket: Socket, first: Fn) {
    this.#socket = socket;
    this.#own = [first];
    this.remote = this.#remote(0);
    const input = createInterface({ input: socket });
    input.on('line', (line) => this.#receive(JSON.parse(line, (_, value: unknown) => this.#decode(value)) as Line));
    socket.setNoDelay(true);
    // Whoever waits hears of it when the connection has closed.
    for (const one of [socket, input]) one.on('error', () => {});
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  /** Nothing that is under way is answered any more. */
  cut(): void {
    this.#socket.destroy();
    for (const { reject } of this.#pending.values())
      reject(new BentoError('CONNECTION', 'served: cannot call: the connection is gone. Try again.', true));
    this.#pending.clear();
  }

  #send(line: Line): void {
    const encode = (value: unknown): unknown => this.#encode(value);
    this.#socket.write(
      `${JSON.stringify(line, function replace(this: Record<string, unknown>, key: string) {
        // As it was before `toJSON` of a Buffer.
        return encode(this[key]);
      })}\n`,
    );
  }

  #receive({ call, fn = 0, args = [], answer, value, abort }: Line): void {
    if (abort !== undefined) this.#signals.get(abort)?.abort();
    if (answer !== undefined) {
      const pending = this.#pending.get(answer);
      this.#pending.delete(answer);
      if (value instanceof Thrown) pending?.reject(value.error);
      else pending?.resolve(value);
    }
    if (call === undefined) return;
    const answered = async (): Promise<unknown> => (this.#own[fn] as Fn)(...(args as never[]));
    answered().then(
      (outcome) => this.#send({ answer: call, value: outcome }),
      (error: unknown) => this.#send({ answer: call, value: new Thrown(error) }),
    );
  }

  #remote(fn: number): Remote {
    return (...args) =>
      new Promise((resolve, reject) => {
        const call = (this.#count += 1);
        this.#pending.set(call, { resolve, reject });
        if (this.#socket.destroyed) this.cut();
        else this.#send({ call, fn, args });
      });
  }

  #encode(value: unknown): unknown {
    if (typeof value === 'function') return { $fn: this.#own.push(value as Fn) - 1 };
    if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
    if (value instanceof AbortSignal) {
      const known = this.#signalIds.get(value);
      const $signal = known ?? (this.#count += 1);
      this.#signalIds.set(value, $signal);
      if (known === undefined) value.addEventListener('abort', () => this.#send({ abort: $signal }));
      return { $signal, aborted: value.aborted };
    }
    if (value instanceof Thrown) return { $thrown: [value.error] };
    if (!isNativeError(value)) return value;
    const { message, code, retryable, failed } = value as Partial<PublishError> & Error;
    return { $error: code ?? '', message, retryable, failed };
  }

  #decode(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const coded = value as { $fn?: number; $bytes?: string; $signal?: number; aborted?: boolean; $thrown?: [unknown] };
    if (coded.$fn !== undefined) return this.#remote(coded.$fn);
    if (coded.$bytes !== undefined) return Buffer.from(coded.$bytes, 'base64');
    if (coded.$thrown !== undefined) return new Thrown(coded.$thrown[0]);
    if (coded.$signal !== undefined) {
      const controller = this.#signals.get(coded.$signal) ?? new AbortController();
      this.#signals.set(coded.$signal, controller);
      if (coded.aborted === true) controller.abort();
      return controller.signal;
    }
    return '$error' in value ? errorOf(value as unknown as CodedError) : value;
  }
}

/** What an answer throws. */
class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

interface CodedError {
  readonly $error: ErrorCode | '';
  readonly message: string;
  readonly retryable?: boolean;
  readonly failed?: readonly number[];
}

function errorOf({ $error, message, retryable = false, failed = [] }: CodedError): Error {
  if ($error === '') return new Error(message);
  if ($error === 'PUBLISH') return new PublishError(message, failed, retryable);
  return $error === 'FENCED' ? new FencedError(message) : new BentoError($error, message, retryable);
}
