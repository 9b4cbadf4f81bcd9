import { BentoError, configurationError } from '@bento-bus/core';
import type { WireFormat } from '@bento-bus/core/adapter';
import type { AdminConnection, TopicPlace } from './connection.ts';

/** What the parts of an admin share. */
export interface AdminContext {
  readonly connection: AdminConnection;
  /** What names begin with at the broker, for a tenant. */
  readonly prefix: string;
  readonly partitions: number | undefined;
  readonly replicationFactor: number | undefined;
  readonly format: WireFormat;
  /** Runs a call as long as the admin is open, and repeats it while that may help. */
  readonly call: <T>(what: string, work: () => Promise<T>) => Promise<T>;
}

/** The topic as it is; `UNKNOWN_TOPIC` where it is not. */
export async function placeOf({ connection, prefix }: AdminContext, what: string, topic: string): Promise<TopicPlace> {
  const place = await connection.find(prefix + topic);
  if (place !== undefined) return place;
  throw new BentoError(
    'UNKNOWN_TOPIC',
    `kafka-adapter: cannot ${what}: there is no topic "${topic}". Create it, or correct the name.`,
  );
}

/** A count of messages or partitions. */
export function checkCount(what: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw configurationError(`kafka-adapter: cannot ${what}`, [`${name} must be a whole number from 1, not ${value}`]);
}
