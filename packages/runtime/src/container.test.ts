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
    await expect(container.get('store')).resolves.toBeDefined();
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

  it('refuses unknown names and, after close, new parts', async () => {
    const container = createContainer<{ a: object }>({ a: () => ({}) });
    await expect(container.get('x' as 'a')).rejects.toMatchObject({ code: 'CONFIGURATION' });
    await container.close();
    await expect(container.get('a')).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
