import type { Capabilities, Message, Transport } from '@bento-bus/core';
import type { Harness, Needs } from '../scenario.ts';

/** A transport under test. */
export interface TransportHarness extends Harness {
  /** What the adapter declares. It is known before any client exists, so that what it leaves out is skipped visibly; a scenario compares it with `transport.capabilities`. */
  readonly capabilities: Capabilities;
  /** The transports can publish a log, see `CheckpointedPublishing`; a scenario compares it too. @default false */
  readonly checkpointed?: boolean;
  /** A new client of the backend. The kit closes it. */
  readonly createTransport: () => Promise<Transport>;
  /**
   * `'many'`: all transports made are clients of one backend and see the same topics and groups. `'one'`: each is a backend of its own,
   * as in process; members of a group are then subscriptions of one transport. @default 'many'
   */
  readonly clients?: 'many' | 'one';
  /** Makes a topic and resolves with its name; `name` is unused so far. Several partitions, please, where there are any. @default the name as it is: topics come into being when they are used */
  readonly createTopic?: (name: string) => Promise<string>;
  /** How many messages the scenario under load publishes; it must be done within `deadlineMs`. @default 10_000 */
  readonly volume?: number;
  /** Turns a message into one that the backend refuses: too large, without an id, … @default none: partial failure is skipped */
  readonly refusedMessage?: (message: Message) => Message;
  /** Restarts the backend, keeping its data; resolves when it answers again. @default none: skipped */
  readonly restart?: () => Promise<void>;
  /** For the random choices of scenarios. @default 1 */
  readonly seed?: number;
}

/** What a scenario may require of a harness. */
export type TransportNeed =
  | 'ordering'
  | 'earliest'
  | 'latest'
  | 'time'
  | 'checkpointed'
  | 'clients'
  | 'refused'
  | 'restart';

const begins =
  (position: 'earliest' | 'latest' | 'time') =>
  ({ capabilities }: TransportHarness): string | undefined =>
    capabilities.startPositions.includes(position) ? undefined : `startPositions do not include '${position}'`;

export const transportNeeds: Needs<TransportHarness, TransportNeed> = {
  ordering: ({ capabilities }) => (capabilities.ordering === 'key' ? undefined : "ordering is 'none'"),
  earliest: begins('earliest'),
  latest: begins('latest'),
  time: begins('time'),
  checkpointed: ({ checkpointed = false }) => (checkpointed ? undefined : 'it cannot publish a log'),
  clients: ({ clients = 'many' }) => (clients === 'many' ? undefined : 'each transport is a backend of its own'),
  refused: ({ refusedMessage }) => (refusedMessage === undefined ? 'the harness knows no refused message' : undefined),
  restart: ({ restart }) => (restart === undefined ? 'the harness cannot restart the backend' : undefined),
};
