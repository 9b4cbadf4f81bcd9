import type { BentoError, Delivery, Position } from '@bento-bus/core';
import type { Unfinished } from '@bento-bus/core/adapter';
import type { Cursor } from './cursor.ts';
import type { GroupProgress } from './group-progress.ts';
import type { Entry } from './topic.ts';
import type { TopicProgress } from './topic-progress.ts';

/** A message in the hands of one group. */
export interface Taken {
  readonly entry: Entry;
  readonly cursor: Cursor;
  /** For an item of a log. */
  readonly item: Unfinished<Position> | undefined;
  /** It has killed the process too often: it must not be handled. */
  readonly condemned: BentoError | undefined;
  /** As it is handed over next. */
  delivery: Delivery;
  /** Highest attempt that a handler has started; 0: none. */
  started: number;
}

/** Progress of the group in a log, as far as it concerns this topic. */
export interface Attachment {
  readonly progress: TopicProgress;
  readonly group: GroupProgress;
  /** Items below this offset are passed over: the log is published again from further back. */
  begin: number;
}

/** What a cursor needs of its group. */
export interface CursorOwner {
  readonly name: string;
  /** A member at work reads this topic. */
  reads(topic: string): boolean;
  /** What fails at present and holds its lane. */
  held(): Iterable<{ readonly delivery: Delivery; readonly token: Taken }>;
  pump(): void;
}
