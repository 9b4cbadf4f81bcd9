import { describe, expect, it } from '@jest/globals';
import { resolveRetryOptions } from './options.ts';
import type { ParkingStore } from './parking/store.ts';

describe('options of retry', () => {
  it('has defaults', () => {
    const { backoff, retryable, ...rest } = resolveRetryOptions({});
    expect(rest).toEqual({ attempts: 3, delays: [], deadLetter: true, parking: undefined });
    for (let failures = 1; failures < 20; failures += 1) {
      expect(backoff(failures)).toBeGreaterThanOrEqual(1);
      expect(backoff(failures)).toBeLessThanOrEqual(2_000);
    }
    expect(retryable(new Error('x'))).toBe(true);
  });

  it('names every fault in one message', () => {
    const wrong = {
      attempts: 0,
      delays: [-1],
      retryable: true,
      backoff: { baseMs: 0, capMs: 'x' },
      sequence: 'all',
      parking: {} as ParkingStore,
    };
    expect(() => resolveRetryOptions(wrong as never)).toThrow(
      expect.objectContaining({
        code: 'CONFIGURATION',
        message: expect.stringMatching(/attempts.*delays.*retryable.*baseMs.*capMs.*sequence/s),
      }),
    );
  });

  it("needs a parking for sequence 'key', and no parking without", () => {
    expect(() => resolveRetryOptions({ sequence: 'key' })).toThrow(/createParkingStore/);
    expect(() => resolveRetryOptions({ parking: {} as ParkingStore })).toThrow(/sequence 'key' only/);
  });
});
