import { BentoError } from '@bento-bus/core';

/** Builds one thing out of others; asked for by name. */
export type Factories<T extends Readonly<Record<string, unknown>>> = {
  readonly [K in keyof T]: (get: Get<T>) => T[K] | Promise<T[K]>;
};
/** Gives a part of the container, building it on first use. */
export type Get<T> = <K extends keyof T & string>(name: K) => Promise<T[K]>;

/** Lazy singletons, closed in the reverse order of their construction. */
export interface Container<T> extends AsyncDisposable {
  /** Builds on first use, once, also when asked for twice at the same time. After close: `CLOSED`. A cycle is a `CONFIGURATION` error that names the path. */
  get: Get<T>;
  /**
   * Closes what was built and has `close()` or `Symbol.asyncDispose`, last built first; waits for what is being built. One failing close
   * does not stop the others: their errors come together in one `AggregateError` at the end. Idempotent.
   */
  close(): Promise<void>;
}

/** Makes a container. `T` is best given: `createContainer<{ store: EventStore; … }>({ … })`. */
export function createContainer<T extends Readonly<Record<string, unknown>>>(factories: Factories<T>): Container<T> {
  const building = new Map<string, Promise<unknown>>();
  const built: { readonly name: string; readonly value: unknown }[] = [];
  let closing: Promise<void> | undefined;

  const resolve = (name: string, path: readonly string[]): Promise<unknown> => {
    const onPath = [...path, name];
    if (path.includes(name)) {
      return Promise.reject(
        new BentoError(
          'CONFIGURATION',
          `runtime: cannot build "${name}": it needs itself (${onPath.join(' -> ')}). Break the cycle.`,
        ),
      );
    }
    const existing = building.get(name);
    if (existing !== undefined) return existing;
    if (closing !== undefined)
      return Promise.reject(new BentoError('CLOSED', `runtime: cannot build "${name}": the container is closed.`));
    const factory = Object.hasOwn(factories, name) ? factories[name] : undefined;
    if (factory === undefined) {
      return Promise.reject(
        new BentoError(
          'CONFIGURATION',
          `runtime: cannot build "${name}": unknown; known: ${Object.keys(factories).join(', ')}.`,
        ),
      );
    }
    const promise = (async () => {
      const value = await factory(((inner: string) => resolve(inner, onPath)) as Get<T>);
      built.push({ name, value });
      return value;
    })();
    building.set(name, promise);
    // What failed may be tried again; who asked sees the error.
    promise.catch(() => building.delete(name));
    return promise;
  };

  const closeAll = async (): Promise<void> => {
    await Promise.allSettled(building.values());
    const errors: unknown[] = [];
    for (const { value } of built.toReversed()) await closePart(value).catch((error: unknown) => errors.push(error));
    if (errors.length > 0) throw new AggregateError(errors, `runtime: ${errors.length} part(s) did not close cleanly`);
  };
  const close = (): Promise<void> => (closing ??= closeAll());

  return { get: ((name: string) => resolve(name, [])) as Get<T>, close, [Symbol.asyncDispose]: close };
}

async function closePart(part: unknown): Promise<void> {
  if (typeof part !== 'object' || part === null) return;
  if ('close' in part && typeof part.close === 'function') await part.close();
  else if (Symbol.asyncDispose in part) await (part as AsyncDisposable)[Symbol.asyncDispose]();
}
