import { type Delivery, type DeliveryHandler, headerNames, type Message } from '@bento-bus/core';
import { createInProcessTransport, type InProcessTransport, type InProcessTransportOptions } from '../src/index.ts';

let messages = 0;

/** A message with an id of its own. */
export function message(given: Partial<Message> = {}): Message {
  messages += 1;
  return {
    id: `m-${messages}`,
    type: 'test.happened',
    source: '/test',
    time: 1_700_000_000_000,
    headers: {},
    body: new Uint8Array([messages % 256]),
    ...given,
  };
}

/** Messages with the given ids, and all of one key unless said otherwise. */
export const numbered = (prefix: string, count: number, key?: (index: number) => string): Message[] =>
  Array.from({ length: count }, (_, index) =>
    message({ id: `${prefix}${index}`, ...(key === undefined ? {} : { key: key(index) }) }),
  );

/** Headers of a message that is due at a time. */
export const dueAt = (time: number): Record<string, string> => ({ [headerNames.deliverAt]: String(time) });

const open: InProcessTransport[] = [];

/** A transport that {@link closeTransports} closes. */
export function create(options?: InProcessTransportOptions): InProcessTransport {
  const transport = createInProcessTransport(options);
  open.push(transport);
  return transport;
}

/** For `afterEach`. */
export async function closeTransports(): Promise<void> {
  await Promise.all(open.splice(0).map((transport) => transport.close()));
}

/** The code of the error that a promise rejects with. */
export const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: { code?: unknown }) => error.code ?? error,
  );

/** Lets everything settle that needs neither time nor the outside world. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Polls until `condition` holds, at most 5 seconds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${what}`);
    await settled();
  }
}

/** A handler that keeps what it got. */
export function recorder(): {
  readonly handler: DeliveryHandler;
  readonly ids: string[];
  readonly deliveries: Delivery[];
} {
  const ids: string[] = [];
  const deliveries: Delivery[] = [];
  return {
    ids,
    deliveries,
    handler: async (delivery) => {
      ids.push(delivery.message.id);
      deliveries.push(delivery);
    },
  };
}

/** A handler that holds each message until it is let go. */
export function gatekeeper(): {
  readonly handler: DeliveryHandler;
  readonly started: string[];
  readonly done: string[];
  readonly signals: AbortSignal[];
  letGo(id: string): void;
  fail(id: string): void;
} {
  const started: string[] = [];
  const done: string[] = [];
  const signals: AbortSignal[] = [];
  const held = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>();
  const entry = (id: string) => {
    const found = held.get(id);
    if (found === undefined) throw new Error(`${id} is not with the handler`);
    held.delete(id);
    return found;
  };
  return {
    started,
    done,
    signals,
    handler: async ({ message: { id } }, signal) => {
      started.push(id);
      signals.push(signal);
      await new Promise<void>((resolve, reject) => held.set(id, { resolve, reject }));
      done.push(id);
    },
    letGo: (id) => entry(id).resolve(),
    fail: (id) => entry(id).reject(new Error(`${id} failed`)),
  };
}

/** Mulberry32: for the same seed the same numbers, each from 0 up to, not including, `below`. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = Math.trunc(state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
