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
  const parts = new Map<string, Part>();
  const built: { readonly name: string; readonly value: unknown }[] = [];
  let closing: Promise<void> | undefined;

  /** Who waits for whom, from one part to another. Ends, because a request that would close a circle is refused. */
  const wayBetween = (from: string, to: string): readonly string[] | undefined => {
    if (from === to) return [from];
    for (const next of parts.get(from)?.waitsFor ?? []) {
      const rest = wayBetween(next, to);
      if (rest !== undefined) return [from, ...rest];
    }
    return undefined;
  };

  const build = (name: string, factory: Factories<T>[string]): Part => {
    const run = async (): Promise<unknown> => {
      // Later, so that the part is known before its factory asks for others.
      await Promise.resolve();
      try {
        const value = await factory(((inner: string) => resolve(inner, name)) as Get<T>);
        built.push({ name, value });
        return value;
      } catch (error) {
        // What failed may be tried again; who asked sees the error.
        parts.delete(name);
        throw error;
      } finally {
        part.ready = true;
      }
    };
    const part: Part = { promise: run(), waitsFor: new Set(), ready: false };
    return part;
  };

  const resolve = async (name: string, asker = ''): Promise<unknown> => {
    const known = parts.get(name);
    // A part that is ready waits for nobody, whatever it asks for later.
    const asking = parts.get(asker)?.ready === false ? parts.get(asker) : undefined;
    if (closing !== undefined && (asking === undefined || known === undefined))
      throw new BentoError('CLOSED', `runtime: cannot build "${name}": the container is closed.`);
    const factory = Object.hasOwn(factories, name) ? factories[name] : undefined;
    if (factory === undefined)
      throw new BentoError(
        'CONFIGURATION',
        `runtime: cannot build "${name}": unknown; known: ${Object.keys(factories).join(', ')}.`,
      );
    const circle = asking && wayBetween(name, asker);
    if (circle !== undefined)
      throw new BentoError(
        'CONFIGURATION',
        `runtime: cannot build "${name}": it needs itself (${[...circle, name].join(' -> ')}). Break the cycle.`,
      );
    const part = known ?? build(name, factory);
    parts.set(name, part);
    asking?.waitsFor.add(name);
    try {
      return await part.promise;
    } finally {
      asking?.waitsFor.delete(name);
    }
  };

  const closeAll = async (): Promise<void> => {
    await Promise.allSettled(Array.from(parts.values(), ({ promise }) => promise));
    const failed: { readonly name: string; readonly error: unknown }[] = [];
    for (const { name, value } of built.toReversed())
      await closePart(value).catch((error: unknown) => failed.push({ name, error }));
    if (failed.length > 0)
      throw new AggregateError(
        failed.map(({ error }) => error),
        `runtime: cannot close ${failed.map(({ name, error }) => `"${name}": ${String(error)}`).join('; ')}`,
      );
  };
  const close = (): Promise<void> => (closing ??= closeAll());

  return { get: ((name: string) => resolve(name)) as Get<T>, close, [Symbol.asyncDispose]: close };
}

/** One singleton from the first request on. */
interface Part {
  readonly promise: Promise<unknown>;
  /** Parts that its factory waits for now. */
  readonly waitsFor: Set<string>;
  ready: boolean;
}

async function closePart(part: unknown): Promise<void> {
  if (typeof part !== 'object' || part === null) return;
  if ('close' in part && typeof part.close === 'function') await part.close();
  else if (Symbol.asyncDispose in part) await (part as AsyncDisposable)[Symbol.asyncDispose]();
}
