import { describe, expect, it } from '@jest/globals';
import { Gate } from './gate.ts';

const nothing = (): void => {};
/** Work that ends when it is told to. */
function held(log: string[], name: string): { work: () => Promise<void>; end: (error?: Error) => void } {
  let end: (error?: Error) => void = nothing;
  const promise = new Promise<void>((resolve, reject) => {
    end = (error) => (error ? reject(error) : resolve());
  });
  const work = async (): Promise<void> => {
    log.push(`${name} begins`);
    await promise;
    log.push(`${name} ends`);
  };
  return { work, end };
}
/** Lets everything run that can. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a gate', () => {
  it('lets many in together, and one alone after they have left and before others come', async () => {
    const log: string[] = [];
    const gate = new Gate();
    const [a, b, alone, c] = [held(log, 'a'), held(log, 'b'), held(log, 'alone'), held(log, 'c')];
    const all = [gate.together(a.work), gate.together(b.work), gate.alone(alone.work), gate.together(c.work)];
    await settle();
    expect(log).toEqual(['a begins', 'b begins']);
    a.end();
    b.end();
    await settle();
    expect(log.slice(2)).toEqual(['a ends', 'b ends', 'alone begins']);
    alone.end();
    c.end();
    await Promise.all(all);
    expect(log.slice(5)).toEqual(['alone ends', 'c begins', 'c ends']);
  });

  it('lets one alone at a time', async () => {
    const log: string[] = [];
    const gate = new Gate();
    const [a, b] = [held(log, 'a'), held(log, 'b')];
    const all = [gate.alone(a.work), gate.alone(b.work)];
    await settle();
    expect(log).toEqual(['a begins']);
    a.end();
    b.end();
    await Promise.all(all);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('goes on after work that failed, and gives its error to who asked for it', async () => {
    const log: string[] = [];
    const gate = new Gate();
    const [a, b, c] = [held(log, 'a'), held(log, 'b'), held(log, 'c')];
    const outcomes = Promise.allSettled([gate.together(a.work), gate.alone(b.work), gate.together(c.work)]);
    a.end(new Error('a failed'));
    b.end(new Error('b failed'));
    c.end();
    const [first, second, third] = await outcomes;
    expect([first.status, second.status, third.status]).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});
