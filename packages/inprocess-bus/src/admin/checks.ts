import { BentoError, configurationError, type ResetPosition } from '@bento-bus/core';

const startWith = (what: string): string => `inprocess-bus: cannot ${what}`;

/** A count of messages or partitions. */
export function checkCount(what: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw configurationError(startWith(what), [`${name} must be a whole number from 1, not ${value}`]);
}

/** Topics of this backend have one partition. */
export function checkPartition(what: string, partition: number | undefined): void {
  if (partition === undefined || partition === 0) return;
  throw configurationError(startWith(what), [
    `partition must be 0, the one that a topic in memory has, not ${partition}`,
  ]);
}

/** A topic in memory has one partition, and no settings of its own. */
export function checkPlain(what: string, partitions: number, config: Readonly<Record<string, unknown>>): void {
  const faults = Object.keys(config).map((name) => `config must be empty, as a topic in memory has no "${name}"`);
  if (partitions > 1) faults.push(`partitions must be 1, as a topic in memory is not partitioned, not ${partitions}`);
  if (faults.length > 0) throw configurationError(startWith(what), faults);
}

export function checkPosition(what: string, to: ResetPosition): void {
  if (typeof to === 'string' || !('time' in to) || (Number.isSafeInteger(to.time) && to.time >= 0)) return;
  throw configurationError(startWith(what), [`time must be epoch milliseconds, not ${to.time}`]);
}

export const noSuchPosition = (what: string, position: string): BentoError =>
  configurationError(startWith(what), [
    `position must be one of a message that is kept, or of the next one, not ${JSON.stringify(position)}`,
  ]);

export const unknownTopic = (what: string, topic: string): BentoError =>
  new BentoError(
    'UNKNOWN_TOPIC',
    `${startWith(what)}: there is no topic "${topic}". Create it, publish to it or subscribe to it first, or correct the name.`,
  );

export const unknownGroup = (what: string, group: string, topic: string): BentoError =>
  new BentoError(
    'UNKNOWN_GROUP',
    `${startWith(what)}: "${group}" has neither progress nor members on "${topic}". Create it, or correct the name.`,
  );

export const conflict = (what: string, group: string): BentoError =>
  new BentoError(
    'GROUP_CONFLICT',
    `${startWith(what)}: members of "${group}" are at work. Close their subscriptions; then try again.`,
  );

export const closedError = (what: string, closed: 'admin' | 'transport'): BentoError =>
  new BentoError('CLOSED', `${startWith(what)}: the ${closed} is closed. Make a new one.`);
