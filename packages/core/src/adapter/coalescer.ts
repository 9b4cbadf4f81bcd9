import { BentoError, isBentoError, PublishError } from '../errors.ts';
import type { Closeable, Message } from '../message.ts';
import { closeOnce } from './drain.ts';
import { Gate } from './gate.ts';
import { publishFailure } from './publish-failure.ts';

/** How single publishes become batches. */
export interface CoalescerOptions {
  /** For error texts: the adapter's package. */
  readonly adapter: string;
  /**
   * Sends one batch. A `PublishError` fails the indexes it names, any other error the whole batch. Faults of single messages (oversize)
   * are to be found before: here they would fail the messages of others.
   */
  readonly send: (topic: string, messages: readonly Message[]) => Promise<void>;
  /** Messages in a batch. @default 1_000 */
  readonly maxBatch?: number;
  /** Bytes in a batch, as counted by `sizeOf`; a larger message goes alone. @default 900_000 */
  readonly maxBytes?: number;
  /** Requests of one topic at once. More than 1 only where `send` itself keeps the order of its calls. @default 1 */
  readonly maxInFlight?: number;
  /** Messages accepted and not yet settled; beyond it publishes are refused, and {@link Coalescer.room} waits before. @default 100_000 */
  readonly maxQueued?: number;
  /** Bytes of a message in its batch. @default body, key, header names and values, and 64 */
  readonly sizeOf?: (message: Message) => number;
}

/**
 * Gathers publishes into batches without making the first one wait: a call goes out in the next microtask, later ones gather while
 * requests of their topic are in flight. Per topic the order of calls is kept.
 */
export interface Coalescer extends Closeable {
  /**
   * Resolves when all of `messages` are stored, whatever batches they travelled in. Rejects with a `PublishError` whose `failed` are
   * indexes into `messages`, with the cause below it; with the error itself where it is `AUTHENTICATION`, `AUTHORIZATION` or
   * `UNKNOWN_TOPIC` and nothing was stored. Refused with a retryable `PublishError` when the queue is full (nothing is sent),
   * with `CLOSED` after close.
   */
  publish(topic: string, messages: readonly Message[]): Promise<void>;
  /** Undefined: there is room; else resolves when there may be: ask again. */
  room(): Promise<void> | undefined;
  /** Messages accepted and not yet settled. */
  readonly queued: number;
  /** Resolves when everything accepted so far is settled. Never rejects. */
  flush(): Promise<void>;
}

/** One call of publish. */
interface Call {
  readonly messages: readonly Message[];
  /** Messages without an outcome. */
  open: number;
  failed: number[] | undefined;
  cause: unknown;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What of a call travels in one batch: messages `from` up to, not including, `to`. */
interface Part {
  readonly call: Call;
  readonly from: number;
  readonly to: number;
}

interface TopicQueue {
  readonly topic: string;
  readonly calls: Call[];
  /** The first call in `calls` that is not sent whole, and the first of its messages that is not. */
  call: number;
  message: number;
  inFlight: number;
  scheduled: boolean;
}

/** Makes a coalescer. */
export function createCoalescer(options: CoalescerOptions): Coalescer {
  const { adapter, send, maxBatch = 1_000, maxBytes = 900_000, maxInFlight = 1, maxQueued = 100_000 } = options;
  const { sizeOf = roughSize } = options;
  const topics = new Map<string, TopicQueue>();
  const space = new Gate();
  const idle = new Gate();
  let queued = 0;
  let closed = false;

  const publish = (topic: string, messages: readonly Message[]): Promise<void> => {
    if (closed) return Promise.reject(closedError(adapter, topic));
    if (messages.length === 0) return Promise.resolve();
    if (queued > 0 && queued + messages.length > maxQueued)
      return Promise.reject(fullError(adapter, topic, messages, queued));
    queued += messages.length;
    let queue = topics.get(topic);
    if (queue === undefined) {
      topics.set(topic, (queue = { topic, calls: [], call: 0, message: 0, inFlight: 0, scheduled: false }));
    }
    const target = queue;
    return new Promise((resolve, reject) => {
      target.calls.push({ messages, open: messages.length, failed: undefined, cause: undefined, resolve, reject });
      if (target.scheduled || target.inFlight >= maxInFlight) return;
      target.scheduled = true;
      queueMicrotask(() => {
        target.scheduled = false;
        pump(target);
      });
    });
  };

  const pump = (queue: TopicQueue): void => {
    while (queue.inFlight < maxInFlight && queue.call < queue.calls.length) dispatch(queue, take(queue));
    if (queue.inFlight === 0) topics.delete(queue.topic);
  };

  const take = (queue: TopicQueue): { readonly parts: readonly Part[]; readonly messages: readonly Message[] } => {
    const parts: Part[] = [];
    const messages: Message[] = [];
    let bytes = 0;
    let full = false;
    while (!full && queue.call < queue.calls.length) {
      const call = queue.calls[queue.call] as Call;
      const from = queue.message;
      let to = from;
      while (to < call.messages.length) {
        const message = call.messages[to] as Message;
        bytes += sizeOf(message);
        full = messages.length === maxBatch || (bytes > maxBytes && messages.length > 0);
        if (full) break;
        messages.push(message);
        to += 1;
      }
      if (to > from) parts.push({ call, from, to });
      queue.message = to;
      if (to === call.messages.length) {
        queue.call += 1;
        queue.message = 0;
      }
    }
    // Sent calls leave in bulk, so that taking one costs constant time.
    if (queue.call === queue.calls.length || queue.call > 1_024) {
      queue.calls.splice(0, queue.call);
      queue.call = 0;
    }
    return { parts, messages };
  };

  const dispatch = (
    queue: TopicQueue,
    batch: { readonly parts: readonly Part[]; readonly messages: readonly Message[] },
  ): void => {
    queue.inFlight += 1;
    let sent: Promise<void>;
    try {
      sent = send(queue.topic, batch.messages);
    } catch (error) {
      sent = Promise.reject(error);
    }
    sent.then(
      () => finish(queue, batch.parts, undefined),
      (error: unknown) => finish(queue, batch.parts, { error }),
    );
  };

  const finish = (
    queue: TopicQueue,
    parts: readonly Part[],
    failure: { readonly error: unknown } | undefined,
  ): void => {
    const failed = failure && failedIndexes(failure.error);
    let offset = 0;
    for (const { call, from, to } of parts) {
      if (failure !== undefined) {
        for (let index = from; index < to; index += 1) {
          if (failed === undefined || failed.has(offset + index - from)) {
            (call.failed ??= []).push(index);
            call.cause = failure.error;
          }
        }
      }
      offset += to - from;
      call.open -= to - from;
      if (call.open > 0) continue;
      if (call.failed === undefined) call.resolve();
      else call.reject(partialError(adapter, queue.topic, call.messages.length, call.failed, call.cause));
    }
    queued -= offset;
    queue.inFlight -= 1;
    pump(queue);
    space.open();
    if (queued === 0) idle.open();
  };

  const flush = (): Promise<void> => (queued === 0 ? Promise.resolve() : idle.wait());

  return {
    publish,
    room: () => (queued < maxQueued || closed ? undefined : space.wait()),
    get queued() {
      return queued;
    },
    flush,
    ...closeOnce(() => {
      closed = true;
      return flush();
    }),
  };
}

/** Which indexes of a batch failed; undefined: all. A failure that names none is not believed to be a success. */
function failedIndexes(error: unknown): ReadonlySet<number> | undefined {
  if (!isBentoError(error, 'PUBLISH') || !('failed' in error) || !Array.isArray(error.failed)) return undefined;
  return error.failed.length === 0 ? undefined : new Set(error.failed);
}

function roughSize({ body, key, headers }: Message): number {
  let size = 64 + (body?.byteLength ?? 0) + (key?.length ?? 0);
  for (const name in headers) size += name.length + (headers[name] as string).length;
  return size;
}

/** Without the full stop, which the text around it sets. */
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');

function partialError(adapter: string, topic: string, count: number, failed: number[], error: unknown): BentoError {
  const cause = isBentoError(error, 'PUBLISH') ? (error.cause ?? error) : error;
  const retryable = isBentoError(error) && error.retryable;
  const advice = retryable ? 'Publish them again; their ids let consumers drop a copy.' : 'See the cause.';
  const message = `${adapter}: cannot publish to "${topic}": ${failed.length} of ${count} messages were not confirmed: ${textOf(cause)}. ${advice}`;
  return publishFailure({ message, failed, count, error, cause });
}

const closedError = (adapter: string, topic: string): BentoError =>
  new BentoError('CLOSED', `${adapter}: cannot publish to "${topic}": it is closed. Publish before close().`);

const fullError = (adapter: string, topic: string, messages: readonly Message[], queued: number): PublishError =>
  new PublishError(
    `${adapter}: cannot publish to "${topic}": ${queued} messages wait to be sent. Await earlier publishes, or raise maxQueued.`,
    [...messages.keys()],
    true,
  );
