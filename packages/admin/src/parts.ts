import type {
  Delivery,
  EventStore,
  Finding,
  Logger,
  Message,
  MessagingAdmin,
  Publisher,
  Transport,
} from '@bento-bus/core';
import type { FailedFilter, RebuildProgress } from './operations.ts';

/** A dead letter as @bento-bus/dlq reads it. */
export interface Letter {
  readonly message: Message;
  readonly position: string;
  readonly reason: string | undefined;
  readonly errorCode: string | undefined;
  readonly error: string | undefined;
  readonly stack: string | undefined;
  readonly attempts: number | undefined;
  readonly firstFailed: number | undefined;
  readonly lastFailed: number | undefined;
  readonly originTopic: string | undefined;
  readonly group: string | undefined;
}

/** The head of a parked sequence as @bento-bus/dlq has it. */
export interface Parked {
  readonly message: Message;
  readonly position: string;
  readonly failure?: {
    readonly reason: string;
    readonly code: string;
    readonly error: string;
    readonly stack: string;
    readonly attempts: number;
    readonly firstFailed: number;
    readonly lastFailed: number;
  };
}

/** What is used of @bento-bus/dlq: hand in all of it, `import * as dlq from '@bento-bus/dlq'`. */
export interface DeadLetterFunctions<Parking> {
  readonly deadLetterGroup: string;
  deadLetterTopic(topic: string, group: string): string;
  readDeadLetter(delivery: Pick<Delivery, 'message' | 'position'>): Letter;
  fits(letter: Letter, filter: FailedFilter): boolean;
  isOfAnother(message: Pick<Message, 'headers'>, place: FailedPlace): boolean;
  redrive(options: {
    readonly transport: Transport;
    readonly topic: string;
    readonly group: string;
    readonly filter?: FailedFilter;
    readonly action?: 'redrive' | 'discard';
    readonly limit?: number;
    readonly perSecond?: number;
    readonly by?: string;
    readonly signal?: AbortSignal;
    readonly logger?: Logger;
    readonly onProgress?: (progress: { readonly looked: number; readonly done: number; readonly kept: number }) => void;
  }): Promise<{ readonly looked: number; readonly done: number; readonly kept: number; readonly complete: boolean }>;
  countParked(of: { readonly parking: Parking; readonly topic: string; readonly group: string }): Promise<number>;
  listParked(
    of: { readonly parking: Parking; readonly topic: string; readonly group: string },
    limit?: number,
  ): Promise<ReadonlyMap<string, Parked>>;
  redriveParked(options: {
    readonly parking: Parking;
    readonly publisher: Publisher;
    readonly topic: string;
    readonly group: string;
    readonly keys?: readonly string[];
    readonly discardFirst?: boolean;
  }): Promise<readonly string[]>;
}

/** Where failed messages are looked for. */
export interface FailedPlace {
  readonly topic: string;
  readonly group: string;
}

/** What of an application's projections is operated. */
export interface ProjectionParts {
  readonly names: readonly string[];
  /** Recorded failures of one projection, as `failedEvents` of @bento-bus/eventsourcing has them. */
  failed(projection: string): Promise<
    readonly {
      readonly streamType: string;
      readonly streamId: string;
      readonly eventType: string;
      readonly reason: string;
      readonly failedAt: number;
    }[]
  >;
  rebuild?(
    projection: string,
    options: { readonly signal?: AbortSignal; readonly onProgress?: (progress: RebuildProgress) => void },
  ): Promise<unknown>;
}

/** What operations are made of. Nothing of it is closed by them. What is left out is `UNSUPPORTED` where it is asked for. */
export interface OperationsParts<Parking = unknown> {
  readonly admin: MessagingAdmin;
  /** A function is called when it is first needed. */
  readonly transport: Transport | (() => Promise<Transport>);
  /** What `tail` reads with: one without instruments, so that a slow reader is no trouble of the application's. @default transport */
  readonly reader?: Transport;
  readonly dlq: DeadLetterFunctions<Parking>;
  /** Where failed messages are parked. @default none */
  readonly parking?: Parking;
  /** Looked at beside topics that end in `-DLQ`. @default none */
  readonly places?: readonly FailedPlace[];
  /** The application's name. */
  readonly application?: string;
  readonly store?: EventStore;
  /** Where the store is, for people. */
  readonly storeName?: string;
  /** The application's relay. Without it the relay is seen from outside. */
  readonly relay?: { readonly position: string; readonly closed: Promise<void> };
  readonly projections?: ProjectionParts;
  /** Further looks of `diagnose`. */
  readonly diagnose?: readonly (() => Promise<readonly Finding[]>)[];
  /** @default silentLogger */
  readonly logger?: Logger;
}
