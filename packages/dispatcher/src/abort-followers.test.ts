import { describe, expect, it } from '@jest/globals';
import { watchedSignal } from '../test/rig.ts';
import { followAbort } from './abort-followers.ts';

describe('what follows the abort of a signal', () => {
  it('is told once, with the reason, unless it has left; however many, they are one listener', () => {
    const { signal, count, abort } = watchedSignal();
    const told: string[] = [];
    const tell = (name: string) => (reason: unknown) => void told.push(`${name}: ${(reason as Error).message}`);
    for (const name of ['a', 'b', 'c']) followAbort(signal, tell(name));
    const leave = followAbort(signal, tell('d'));
    leave();
    expect(count()).toBe(1);
    abort();
    expect(told).toEqual(['a: drained', 'b: drained', 'c: drained']);
  });

  it('is told at once when the signal has aborted', () => {
    const told: unknown[] = [];
    followAbort(AbortSignal.abort('before'), (reason) => void told.push(reason))();
    expect(told).toEqual(['before']);
  });
});
