import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { createContainer } from './container.ts';

const closeable = (name: string, log: string[], fault?: Error) => ({
  name,
  close: async () => {
    log.push(name);
    if (fault !== undefined) throw fault;
  },
});

describe('createContainer', () => {
  it('builds each part once, on first use, also when asked for twice at once', async () => {
    const built: string[] = [];
    const container = createContainer<{ a: object; b: object; unused: object }>({
      a: async () => {
        built.push('a');
        return {};
      },
      b: async (get) => {
        await get('a');
        built.push('b');
        return {};
      },
      unused: () => {
        built.push('unused');
        return {};
      },
    });
    const [b1, b2, a] = await Promise.all([container.get('b'), container.get('b'), container.get('a')]);
    expect(b1).toBe(b2);
    expect(a).toBe(await container.get('a'));
    expect(built).toEqual(['a', 'b']);
  });

  it('closes in the reverse order of construction, once', async () => {
    const log: string[] = [];
    const container = createContainer<{ store: object; relay: object; plain: number }>({
      relay: async (get) => {
        await get('store');
        await get('plain');
        return closeable('relay', log);
      },
      store: () => ({ [Symbol.asyncDispose]: async () => void log.push('store') }),
      plain: () => 1,
    });
    await container.get('relay');
    await Promise.all([container.close(), container.close()]);
    await container.close();
    expect(log).toEqual(['relay', 'store']);
    await expect(container.get('store')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('closes what stands when a factory fails, and lets it be tried again', async () => {
    const log: string[] = [];
    let tries = 0;
    const container = createContainer<{ store: object; relay: object }>({
      store: () => closeable('store', log),
      relay: async (get) => {
        await get('store');
        tries += 1;
        if (tries === 1) throw new Error('down');
        return closeable('relay', log);
      },
    });
    await expect(container.get('relay')).rejects.toThrow('down');
    await container.get('relay');
    await container.close();
    expect(log).toEqual(['relay', 'store']);
  });

  it('goes on closing when one part fails, and reports every error', async () => {
    const log: string[] = [];
    const container = createContainer<{ a: object; b: object }>({
      a: () => closeable('a', log, new Error('a stuck')),
      b: () => closeable('b', log, new Error('b stuck')),
    });
    await container.get('a');
    await container.get('b');
    const error = await container.close().catch((reason: unknown) => reason as AggregateError);
    expect(String(error)).toContain('runtime: cannot close "b": Error: b stuck; "a": Error: a stuck');
    expect((error as AggregateError).errors.map(String)).toEqual(['Error: b stuck', 'Error: a stuck']);
    expect(log).toEqual(['b', 'a']);
  });

  it('names the path of a cycle instead of waiting for ever', async () => {
    const container = createContainer<{ a: object; b: object }>({
      a: async (get) => ({ b: await get('b') }),
      b: async (get) => ({ a: await get('a') }),
    });
    await expect(container.get('a')).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('a -> b -> a'),
    });
  });

  it('sees a cycle also between parts whose building began apart', async () => {
    const container = createContainer<{ a: object; b: object; c: object }>({
      a: async (get) => {
        await Promise.resolve();
        return { b: await get('b') };
      },
      b: async (get) => {
        await Promise.resolve();
        return { c: await get('c') };
      },
      c: async (get) => {
        await Promise.resolve();
        return { a: await get('a') };
      },
    });
    const results = await Promise.allSettled([container.get('a'), container.get('b'), container.get('c')]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(String((results[0] as PromiseRejectedResult).reason)).toMatch(/needs itself \(\w -> \w -> \w -> \w\)/);
  });

  it('takes two parts for no cycle when one asks for the other only after it was built', async () => {
    let later: (() => Promise<object>) | undefined;
    const container = createContainer<{ bus: object; handlers: object }>({
      bus: (get) => {
        later = () => get('handlers');
        return {};
      },
      handlers: async (get) => ({ bus: await get('bus') }),
    });
    const bus = await container.get('bus');
    expect(await later?.()).toEqual({ bus });
  });

  it('waits on close for what is being built, and closes it', async () => {
    const log: string[] = [];
    const gate = new EventEmitter();
    const opened = once(gate, 'open');
    const container = createContainer<{ store: object; relay: object }>({
      store: () => closeable('store', log),
      relay: async (get) => {
        await opened;
        await get('store');
        return closeable('relay', log);
      },
    });
    await container.get('store');
    const relay = container.get('relay');
    const closed = container.close();
    gate.emit('open');
    await relay;
    await closed;
    expect(log).toEqual(['relay', 'store']);
  });

  it('refuses unknown names and, after close, new parts', async () => {
    const container = createContainer<{ a: object }>({ a: () => ({}) });
    await expect(container.get('x' as 'a')).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await container.close();
    await expect(container.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
