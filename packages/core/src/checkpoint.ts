import type { Closeable, Message } from './message.ts';
import type { Transport } from './transport.ts';

/** Place in a log: fixed width, string order = log order, `''` = before the first. */
export type Position = string;

/** One event of a log on its way to a topic. */
export interface CheckpointedItem {
  readonly topic: string;
  readonly message: Message;
  readonly position: Position;
}

/** Options of {@link CheckpointedPublishing.openCheckpointed}. */
export interface CheckpointedOptions {
  readonly topics: readonly string[];
  readonly head?: Position;
  /** Ends opening, also where it waits, and the publisher. */
  readonly signal?: AbortSignal;
  /** Another process holds the log; this call waits for its end. How soon a death is known is the backend's matter. @default takes the log over */
  readonly onStandby?: () => void;
}

/** Optional power of a transport: publishes a log exactly once. */
export interface CheckpointedPublishing {
  /**
   * Fences the previous holder and reads the checkpoint. `topics` are all topics that will be published to. `head` is the log's head
   * at the time of the call: in process, groups that begin at `'latest'` and have no progress begin there. With `onStandby` a holder
   * that lives is not fenced: the call waits until it has closed or died, and says once that it waits.
   */
  openCheckpointed(log: string, options: CheckpointedOptions): Promise<CheckpointedPublisher>;
}

/** The one publisher of a log. */
export interface CheckpointedPublisher extends Closeable {
  /** Every item at or before it is stored. */
  readonly resumeAfter: Position;
  /**
   * Ascending; items at or before the checkpoint are skipped; `through` moves the checkpoint also over what is not published.
   * Loss of the fence is a `FencedError`: stop.
   */
  publish(items: readonly CheckpointedItem[], through: Position): Promise<void>;
}

/** Guard of the power. */
export const canPublishCheckpointed = (transport: Transport): transport is Transport & CheckpointedPublishing =>
  'openCheckpointed' in transport;

/** Optional power of a transport: looks how far a log is published, without taking it from its publisher. */
export interface CheckpointReading {
  /** Everything at or before it is stored. Undefined: the log was never published here. */
  checkpointOf(log: string): Promise<Position | undefined>;
}

/** Guard of the power. */
export const canReadCheckpoint = (transport: Transport): transport is Transport & CheckpointReading =>
  'checkpointOf' in transport;

/** Progress of in-process groups, and whatever else must outlive the process. A resolved write survives a crash of the process. */
export interface CheckpointStore extends Closeable {
  read(name: string): Promise<string | undefined>;
  write(name: string, value: string): Promise<void>;
}
