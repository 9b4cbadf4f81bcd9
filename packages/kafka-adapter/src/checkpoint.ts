import { Buffer } from 'node:buffer';
import { CodecError, type Position } from '@bento-bus/core';
import type { Driver } from './driver.ts';

/** How far a log is published, as its checkpoint topic has it. */
export interface Checkpoint {
  readonly position: Position;
  /** Which opening of the log wrote it. */
  readonly owner: string;
}

export const checkpointTopic = (log: string): string => `${log}-CHECKPOINT`;

/** The last committed checkpoint. Undefined: there is none. `what` begins the text of a `CodecError` for a record that is none. */
export async function readCheckpoint(driver: Driver, log: string, what: string): Promise<Checkpoint | undefined> {
  const topic = checkpointTopic(log);
  const record = await driver.lastRecord(topic);
  if (record === undefined) return undefined;
  try {
    const { position, owner } = JSON.parse(Buffer.from(record.value ?? []).toString()) as Partial<Checkpoint>;
    if (typeof position === 'string' && typeof owner === 'string') return { position, owner };
  } catch {
    // Reported below.
  }
  const cause = `the record at ${record.offset} of "${topic}" is no checkpoint`;
  throw new CodecError('checkpoint', `${what}: ${cause}. Nobody else may write to this topic.`);
}
