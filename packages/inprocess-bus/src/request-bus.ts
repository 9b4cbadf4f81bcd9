import { BentoError, type MaybePromise, type MessageClass } from '@bento-bus/core';

/** Handles one command or query. */
export type RequestHandler = (request: object) => MaybePromise<unknown>;

/** Wraps the handlers of a command or query bus, once at registration; the class tells which one. */
export type RequestMiddleware = (next: RequestHandler, request: MessageClass) => RequestHandler;

/** Options of {@link createCommandBus} and {@link createQueryBus}. */
export interface RequestBusOptions {
  /** Around every handler, first is outermost. An empty list costs nothing. @default [] */
  readonly use?: readonly RequestMiddleware[];
}

/** The one mechanism of command and query bus: one handler a class. */
export interface RequestBus {
  register(type: MessageClass, handler: RequestHandler): () => void;
  execute(request: unknown): Promise<unknown>;
}

/** How many known classes an error text lists. */
const listed = 10;

export function createRequestBus(kind: 'command' | 'query', options: RequestBusOptions = {}): RequestBus {
  // By prototype, not by `constructor`: a payload copied onto the instance cannot pass for another class.
  const handlers = new Map<object, RequestHandler>();
  const use = options.use ?? [];

  const refuse = (verb: string, what: string, cause: string, advice: string): BentoError =>
    new BentoError('CONFIGURATION', `inprocess-bus: cannot ${verb} ${kind} "${what}": ${cause}. ${advice}`);

  const unknown = (request: unknown): BentoError => {
    const name = nameOf(request);
    const names = Array.from(handlers.keys(), (prototype) => prototype.constructor.name);
    if (names.includes(name))
      return refuse(
        'execute',
        name,
        'a handler is registered for another class of that name',
        'Is its module loaded twice?',
      );
    const more = names.length > listed ? `, … (${names.length} in all)` : '';
    const known = names.length === 0 ? 'none' : names.toSorted().slice(0, listed).join(', ') + more;
    return refuse('execute', name, 'it has no handler', `Register one for its class. Known: ${known}.`);
  };

  return {
    register(type, handler) {
      const prototype: unknown = typeof type === 'function' ? type.prototype : undefined;
      if (typeof prototype !== 'object' || prototype === null)
        throw refuse('register', String(type), 'it is not a class', 'Pass the class whose instances are executed.');
      if (typeof handler !== 'function')
        throw refuse('register', type.name, 'its handler is not a function', 'Pass a function.');
      if (handlers.has(prototype))
        throw refuse(
          'register',
          type.name,
          'it has a handler already',
          'Each class has exactly one: take the first registration back, or use an event for several handlers.',
        );
      handlers.set(
        prototype,
        use.reduceRight((next, wrap) => wrap(next, type), handler),
      );
      let registered = true;
      return () => {
        // A later registration of the same class is not ours to take back.
        if (registered) handlers.delete(prototype);
        registered = false;
      };
    },
    // oxlint-disable-next-line typescript/promise-function-async -- `async` would wrap the handler's own promise in a second one
    execute(request) {
      try {
        const handler = isObject(request) ? handlers.get(Object.getPrototypeOf(request) as object) : undefined;
        return handler === undefined ? Promise.reject(unknown(request)) : Promise.resolve(handler(request as object));
      } catch (error) {
        return Promise.reject(error);
      }
    },
  };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function nameOf(request: unknown): string {
  if (!isObject(request)) return String(request);
  const prototype = Object.getPrototypeOf(request) as object | null;
  return prototype === null ? 'object without a class' : prototype.constructor.name;
}
