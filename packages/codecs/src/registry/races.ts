import { setTimeout } from 'node:timers/promises';
import { fullJitter } from '@bento-bus/core/adapter';
import type { Answer } from './http.ts';

const backoff = fullJitter({ baseMs: 50, capMs: 500 });
const mostRaces = 10;

/**
 * Asks again while the answer is a 409 although the schema fits: that is what registries say to all but one of those who register at once.
 * `fits`: compares the schema with those that are there. Gives the last answer; `raced`: it is such a 409 still.
 */
export async function afterRaces(
  ask: () => Promise<Answer>,
  fits: (refusal: Answer) => Promise<boolean>,
): Promise<{ readonly answer: Answer; readonly raced: boolean }> {
  for (let tries = 1; ; tries += 1) {
    const answer = await ask();
    if (answer.status !== 409 || !(await fits(answer))) return { answer, raced: false };
    if (tries > mostRaces) return { answer, raced: true };
    await setTimeout(backoff(tries));
  }
}
