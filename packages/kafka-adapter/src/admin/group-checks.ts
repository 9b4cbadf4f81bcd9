import { BentoError, configurationError, type ResetPosition } from '@bento-bus/core';
import { checkTopic } from '../topics.ts';
import { placed } from './positions.ts';

/** Throws a `CONFIGURATION` error unless names and position are such. */
export function checkGroup(what: string, topic: string, group: string, to: ResetPosition = 'latest'): void {
  checkTopic('use', topic);
  const faults: string[] = [];
  if (typeof group !== 'string' || group === '') faults.push('group must be a name, not empty');
  if (typeof to !== 'string' && 'time' in to && !(Number.isSafeInteger(to.time) && to.time >= 0))
    faults.push(`time must be epoch milliseconds, not ${to.time}`);
  if (typeof to !== 'string' && 'position' in to && placed(to) === undefined)
    faults.push(`position must be one of a delivery, not ${JSON.stringify(to.position)}`);
  if (faults.length > 0) throw configurationError(`kafka-adapter: cannot ${what}`, faults);
}

export const unknownGroup = (what: string, group: string, topic: string): BentoError =>
  new BentoError(
    'UNKNOWN_GROUP',
    `kafka-adapter: cannot ${what}: "${group}" has neither progress nor members on "${topic}". Create it, or correct the name.`,
  );

export const conflict = (what: string, group: string, cause?: unknown): BentoError =>
  new BentoError(
    'GROUP_CONFLICT',
    `kafka-adapter: cannot ${what}: members of "${group}" are at work, or were a moment ago. Close their subscriptions; then try again.`,
    false,
    { cause },
  );
