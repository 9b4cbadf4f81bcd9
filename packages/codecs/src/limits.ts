import { constants } from 'node:buffer';

/** Limits of the binary codecs. */
export interface LimitOptions {
  /** Largest body, written or read, in bytes. @default 5_242_880 (5 MiB, what Pulsar takes by default) */
  readonly maxBytes?: number;
  /** Messages or records of one recursive schema inside one another, at most. 1 to 100. @default 64 */
  readonly maxDepth?: number;
  /**
   * Values that a body may become when it is read: items of arrays, fields of records or messages, entries of maps (which count three times,
   * as they take as long), also of records that a reader passes over. Few bytes can stand for very many, so this bounds time and memory. @default 500_000
   */
  readonly maxValues?: number;
}

/** The limits with their defaults; adds to the faults. */
export function resolveLimits(options: LimitOptions, faults: string[]): Required<LimitOptions> {
  const { maxBytes = 5 * 1024 * 1024, maxDepth = 64, maxValues = 500_000 } = options;
  const check = (name: string, value: number, most: number): void => {
    if (!Number.isInteger(value) || value < 1 || value > most)
      faults.push(`${name} is ${String(value)}, wanted is a whole number from 1 to ${most}`);
  };
  check('maxBytes', maxBytes, Math.min(constants.MAX_STRING_LENGTH, 2 ** 30));
  check('maxDepth', maxDepth, 100);
  check('maxValues', maxValues, 2 ** 30);
  return { maxBytes, maxDepth, maxValues };
}
