import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { message } from '../../test/deliveries.ts';
import { BentoError, type Message, PublishError } from '../index.ts';
import { type Coalescer, type CoalescerOptions, createCoalescer } from './index.ts';

const tick = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

interface Request {
  readonly topic: string;
  readonly ids: readonly string[];
  end(): Promise<void>;
  fail(error: unknown): Promise<void>;
}

/** A coalescer whose requests are answered by the test. */
function rig(options: Partial<CoalescerOptions> = {}): { readonly coalescer: Coalescer; readonly requests: Request[] } {
  const requests: Request[] = [];
  const coalescer = createCoalescer({
    adapter: 'test-adapter',
    send: (topic, messages) =>
      new Promise((resolve, reject) => {
        requests.push({
          topic,
          ids: messages.map(({ id }) => id),
          end: () => {
            resolve();
            return tick();
          },
          fail: (error) => {
            reject(error);
            return tick();
          },
        });
      }),
    ...options,
  });
  return { coalescer, requests };
}

const named = (...ids: string[]): Message[] => ids.map((id) => message({ id }));
/** What became of publishes; listens at once. */
class Results {
  readonly errors: unknown[] = [];
  private readonly texts: Promise<string>[] = [];

  add(promise: Promise<void>): void {
    const index = this.texts.length;
    const failed = (error: unknown): string => {
      this.errors[index] = error;
      return error instanceof PublishError ? error.failed.join(',') : String(error);
    };
    this.texts.push(promise.then(() => 'stored', failed));
  }

  all(): Promise<string[]> {
    return Promise.all(this.texts);
  }
}

function resultsOf(...promises: readonly Promise<void>[]): Results {
  const results = new Results();
  for (const promise of promises) results.add(promise);
  return results;
}

describe('a coalescer', () => {
  it('sends the first calls at once together, and gathers later ones while a request is in flight', async () => {
    const { coalescer, requests } = rig();
    void coalescer.publish('t', named('1'));
    void coalescer.publish('t', named('2'));
    await tick();
    void coalescer.publish('t', named('3'));
    void coalescer.publish('t', named('4', '5'));
    await tick();
    expect(requests.map(({ ids }) => ids)).toEqual([['1', '2']]);
    await requests[0]?.end();
    expect(requests.map(({ ids }) => ids)).toEqual([
      ['1', '2'],
      ['3', '4', '5'],
    ]);
  });

  it('keeps topics apart', async () => {
    const { coalescer, requests } = rig();
    void coalescer.publish('a', named('1'));
    void coalescer.publish('b', named('2'));
    await tick();
    expect(requests.map(({ topic }) => topic)).toEqual(['a', 'b']);
  });

  it('resolves a call when all of its messages are stored, whatever batches they travelled in', async () => {
    const { coalescer, requests } = rig({ maxBatch: 2 });
    let stored = 0;
    const first = coalescer.publish('t', named('1', '2', '3')).then(() => (stored += 1));
    await tick();
    expect(requests.map(({ ids }) => ids)).toEqual([['1', '2']]);
    await requests[0]?.end();
    expect(requests.map(({ ids }) => ids)).toEqual([['1', '2'], ['3']]);
    expect(stored).toBe(0);
    await requests[1]?.end();
    expect(await first).toBe(1);
    expect(coalescer.queued).toBe(0);
  });

  it('keeps to the bytes of a batch, and sends a larger message alone', async () => {
    const { coalescer, requests } = rig({ maxBytes: 10, sizeOf: ({ id }) => id.length });
    const done = resultsOf(coalescer.publish('t', named('aaaa', 'bbbb', 'cccc', 'x'.repeat(30), 'd')));
    for (let index = 0; index < 4; index += 1) {
      await tick();
      await requests[index]?.end();
    }
    expect(requests.map(({ ids }) => ids.join(' '))).toEqual(['aaaa bbbb', 'cccc', 'x'.repeat(30), 'd']);
    expect(await done.all()).toEqual(['stored']);
  });

  it('gives each caller its own result, with its own indexes', async () => {
    const { coalescer, requests } = rig();
    const done = resultsOf(
      coalescer.publish('t', named('0', '1')),
      coalescer.publish('t', named('2')),
      coalescer.publish('t', named('3', '4', '5')),
    );
    await tick();
    const cause = new Error('disk full');
    await requests[0]?.fail(new PublishError('no', [1, 3, 5], true, { cause }));
    expect(await done.all()).toEqual(['1', 'stored', '0,2']);
    expect(done.errors[2]).toMatchObject({
      code: 'PUBLISH',
      retryable: true,
      cause,
      message: expect.stringMatching(
        /^test-adapter: cannot publish to "t": 2 of 3 messages were not confirmed: disk full/,
      ),
    });
  });

  it.each([
    ['another error', new BentoError('CONNECTION', 'gone', true), true],
    ['a PublishError that names no index', new PublishError('odd', [], false), false],
    ['no error object', 'odd', false],
  ])('takes %s as the failure of the whole batch', async (_, error, retryable) => {
    const { coalescer, requests } = rig();
    const done = resultsOf(coalescer.publish('t', named('0', '1')), coalescer.publish('t', named('2')));
    await tick();
    await requests[0]?.fail(error);
    expect(await done.all()).toEqual(['0,1', '0']);
    expect(done.errors[0]).toMatchObject({ retryable });
  });

  it.each(['AUTHENTICATION', 'AUTHORIZATION', 'UNKNOWN_TOPIC'] as const)(
    'gives %s as it is to who has nothing stored',
    async (code) => {
      const { coalescer, requests } = rig({ maxBatch: 2 });
      const results = new Results();
      results.add(coalescer.publish('t', named('a', 'b', 'c')));
      await tick();
      await requests[0]?.end();
      const error = new BentoError(code, 'no');
      results.add(coalescer.publish('t', named('d')));
      await requests[1]?.fail(error);
      await requests[2]?.fail(error);
      expect(await results.all()).toEqual(['2', 'BentoError: no']);
      expect(results.errors[0]).toMatchObject({ code: 'PUBLISH', retryable: false, cause: error });
      expect(results.errors[1]).toBe(error);
    },
  );

  it('goes on after a send that throws at once', async () => {
    let calls = 0;
    const coalescer = createCoalescer({
      adapter: 'a',
      send: () => {
        calls += 1;
        if (calls === 1) throw new Error('at once');
        return Promise.resolve();
      },
    });
    await expect(coalescer.publish('t', named('1'))).rejects.toMatchObject({ failed: [0] });
    await coalescer.publish('t', named('2'));
  });

  it('refuses what does not fit into its queue, and says when there is room', async () => {
    const { coalescer, requests } = rig({ maxQueued: 3 });
    expect(coalescer.room()).toBeUndefined();
    const done = resultsOf(coalescer.publish('t', named('1', '2', '3')));
    const room = coalescer.room();
    await expect(coalescer.publish('t', named('4'))).rejects.toMatchObject({
      code: 'PUBLISH',
      retryable: true,
      failed: [0],
    });
    await tick();
    await requests[0]?.end();
    await room;
    expect(coalescer.room()).toBeUndefined();
    // More than the whole queue still goes when nothing else waits.
    done.add(coalescer.publish('t', named('5', '6', '7', '8')));
    await tick();
    await requests[1]?.end();
    expect(await done.all()).toEqual(['stored', 'stored']);
  });

  it('sends what it has before it is closed, and refuses afterwards', async () => {
    const { coalescer, requests } = rig();
    const done = resultsOf(coalescer.publish('t', named('1')));
    const closing = coalescer.close();
    await expect(coalescer.publish('t', named('2'))).rejects.toMatchObject({ code: 'CLOSED' });
    await tick();
    await requests[0]?.fail(new Error('no'));
    await closing;
    expect(await done.all()).toEqual(['0']);
  });

  it('does nothing for no messages', async () => {
    const { coalescer, requests } = rig();
    await coalescer.publish('t', []);
    expect(requests).toEqual([]);
  });

  it('keeps the order of calls per topic and answers each exactly, whatever fails', async () => {
    const call = fc.record({
      topic: fc.constantFrom('a', 'b'),
      count: fc.integer({ min: 1, max: 7 }),
      pause: fc.boolean(),
    });
    const scenario = fc.record({
      calls: fc.array(call, { maxLength: 30 }),
      maxBatch: fc.integer({ min: 1, max: 5 }),
      maxInFlight: fc.integer({ min: 1, max: 3 }),
      bad: fc.func(fc.boolean()),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ calls, maxBatch, maxInFlight, bad }) => {
        const sent: Record<string, string[]> = { a: [], b: [] };
        const open: Record<string, number> = { a: 0, b: 0 };
        const coalescer = createCoalescer({
          adapter: 'a',
          maxBatch,
          maxInFlight,
          send: async (topic, messages) => {
            open[topic] = (open[topic] ?? 0) + 1;
            expect(open[topic]).toBeLessThanOrEqual(maxInFlight);
            expect(messages.length).toBeLessThanOrEqual(maxBatch);
            sent[topic]?.push(...messages.map(({ id }) => id));
            await tick();
            open[topic] = (open[topic] ?? 0) - 1;
            const failed = [...messages.keys()].filter((index) => bad(messages[index]?.id));
            if (failed.length > 0) throw new PublishError('no', failed, true);
          },
        });
        const published: Record<string, string[]> = { a: [], b: [] };
        const results = new Results();
        const expected: string[] = [];
        for (const [index, { topic, count, pause }] of calls.entries()) {
          const ids = Array.from({ length: count }, (_, at) => `${index}.${at}`);
          published[topic]?.push(...ids);
          results.add(coalescer.publish(topic, named(...ids)));
          expected.push(ids.flatMap((id, at) => (bad(id) ? [at] : [])).join(',') || 'stored');
          if (pause) await tick();
        }
        expect(await results.all()).toEqual(expected);
        expect(sent).toEqual(published);
        await coalescer.close();
      }),
      { seed: 20_261_121, numRuns: 200 },
    );
  });
});
