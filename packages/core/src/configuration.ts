import { BentoError } from './errors.ts';

/**
 * One `CONFIGURATION` error for all faults of what a user handed in. `what` begins the text and says who cannot do what, for example
 * `kafka-adapter: cannot subscribe group "mail"`; each fault is a clause that names the field and what it should be.
 */
export function configurationError(what: string, faults: readonly string[]): BentoError {
  const advice =
    faults.length === 1 ? 'Correct it and try again.' : `Correct these ${faults.length} faults and try again.`;
  return new BentoError('CONFIGURATION', `${what}: ${faults.join('; ')}. ${advice}`);
}
