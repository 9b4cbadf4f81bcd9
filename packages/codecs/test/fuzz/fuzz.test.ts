import { describe, expect, it } from '@jest/globals';
import { fuzz } from './fuzz.ts';
import { subjects } from './subjects.ts';

// The same bodies each time; `test:brokers` tries others, and many more.
describe('damaged bodies', () => {
  it.each(subjects.map((subject) => [subject.name, subject] as const))(
    'of %s are read or refused',
    async (_, subject) => {
      const { refused, accepted } = await fuzz(subject, 300, 20_261_127);
      expect(refused + accepted).toBe(300);
      expect(refused).toBeGreaterThan(50);
    },
  );
});
