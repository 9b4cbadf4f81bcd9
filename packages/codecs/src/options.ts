import { constants } from 'node:buffer';
import { BentoError } from '@bento-bus/core';

/** Options of {@link createJsonCodec}. */
export interface JsonCodecOptions {
  /** Arrays and objects inside one another, at most; `[[1]]` is two. 1 to 1,000. @default 64 */
  readonly maxDepth?: number;
  /** Largest body, written or read, in bytes. @default 5_242_880 (5 MiB, what Pulsar takes by default) */
  readonly maxBytes?: number;
}

/** The options with their defaults; throws one `CONFIGURATION` error that names every fault. */
export function resolveOptions(options: JsonCodecOptions): Required<JsonCodecOptions> {
  const { maxDepth = 64, maxBytes = 5 * 1024 * 1024 } = options;
  const faults: string[] = [];
  const check = (name: string, value: number, most: number): void => {
    if (!Number.isInteger(value) || value < 1 || value > most)
      faults.push(`${name} is ${String(value)}, wanted is a whole number from 1 to ${most}`);
  };
  // The walk over a value recurses, so the depth stays far below what a call stack holds.
  check('maxDepth', maxDepth, 1_000);
  check('maxBytes', maxBytes, constants.MAX_STRING_LENGTH);
  if (faults.length > 0)
    throw new BentoError(
      'CONFIGURATION',
      `codecs: cannot create a "JSON codec": ${faults.join('; ')}. Correct the options.`,
    );
  return { maxDepth, maxBytes };
}
