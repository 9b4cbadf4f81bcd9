import { describe, expect, it } from '@jest/globals';
import { fuzz } from './fuzz.ts';
import { subjects } from './subjects.ts';

const numberOf = (name: string, otherwise: number): number => {
  const number = Number(process.env[name] ?? otherwise);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${name} is no whole number above zero`);
  return number;
};
const iterations = numberOf('FUZZ_ITERATIONS', 20_000);
const seed = numberOf('FUZZ_SEED', Date.now() % 2 ** 31);

describe(`damaged bodies, seed ${seed}`, () => {
  it.each(subjects.map((subject) => [subject.name, subject] as const))(
    'of %s are read or refused',
    async (name, subject) => {
      const { refused, accepted, slowest, grown } = await fuzz(subject, iterations, seed);
      process.stdout.write(
        `figure: fuzz ${name}, seed ${seed}: ${iterations} bodies, ${refused} refused, ${accepted} read, slowest ${slowest.toFixed(1)} ms, heap ${(grown / 1e6).toFixed(1)} MB\n`,
      );
      expect(refused + accepted).toBe(iterations);
      // Compiled code and caches of the engine are some; what a body leaves behind would be much more.
      expect(grown).toBeLessThan(32e6);
    },
    iterations * 30,
  );
});
