import type { Capabilities, Message, Transport } from '@bento-bus/core';
import type { Harness, Needs } from '../scenario.ts';

/** What the module of {@link TransportProcesses} exports. */
export interface TransportModule {
  /** Makes a client of the backend that `TransportHarness.createTransport` makes clients of; `environment` is that of the process. */
  readonly createTransport: (
    environment: Readonly<Record<string, string | undefined>>,
  ) => Transport | Promise<Transport>;
}

/** How the kit starts processes with a client of the backend, which it kills. */
export interface TransportProcesses {
  /** `file:` URL of a {@link TransportModule}. */
  readonly module: string;
  /** Arguments for node: whatever it takes to load the module. @default none */
  readonly execArgv?: readonly string[];
  /** Added to the environment of this process, whenever one is started: where the backend is. @default none */
  readonly env?: Readonly<Record<string, string>>;
}

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
  /**
   * For the scenarios about processes that die. Where each transport is a backend of its own (`clients: 'one'`), the processes come one
   * after the other, each publishes the same log, and only what outlives them is theirs together. @default none: skipped
   */
  readonly processes?: TransportProcesses;
  /** How often each scenario about killed processes kills. @default 3 */
  readonly kills?: number;
  /** How long the backend waits for a sign of life, or for an acknowledgement, before it gives what a member holds to another. Milliseconds. @default none: the scenario about slow handlers is skipped */
  readonly sessionMs?: number;
  /**
   * When a member dies, what it had in hand may come again, and what was handled this long before: its acknowledgement may not have been
   * stored. Milliseconds. @default 0
   */
  readonly duplicatesMs?: number;
  /** How late the attempts of a failing message may be stored. Milliseconds. @default 1_000 */
  readonly attemptsMs?: number;
  /** As `duplicatesMs`, for a restart of the backend. Milliseconds. @default Infinity: whatever was handled may come again */
  readonly restartDuplicatesMs?: number;
  /** A new client of the backend as this tenant, which it makes if need be. The kit closes it. @default none: skipped */
  readonly createTenant?: (tenant: string) => Promise<Transport>;
  /** The scenario about delays publishes messages with delays up to this. Milliseconds. @default 600 */
  readonly longestDelayMs?: number;
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
  | 'restart'
  | 'session'
  | 'crash'
  | 'processes'
  | 'delays'
  | 'tenants';

const begins =
  (position: 'earliest' | 'latest' | 'time') =>
  ({ capabilities }: TransportHarness): string | undefined =>
    capabilities.startPositions.includes(position) ? undefined : `startPositions do not include '${position}'`;

export const transportNeeds: Needs<TransportHarness, TransportNeed> = {
  tenants: ({ createTenant }) => (createTenant === undefined ? 'the harness makes no tenants' : undefined),
  delays: ({ capabilities }) => (capabilities.delays ? undefined : 'it delays no messages'),
  ordering: ({ capabilities }) => (capabilities.ordering === 'key' ? undefined : "ordering is 'none'"),
  earliest: begins('earliest'),
  latest: begins('latest'),
  time: begins('time'),
  checkpointed: ({ checkpointed = false }) => (checkpointed ? undefined : 'it cannot publish a log'),
  clients: ({ clients = 'many' }) => (clients === 'many' ? undefined : 'each transport is a backend of its own'),
  refused: ({ refusedMessage }) => (refusedMessage === undefined ? 'the harness knows no refused message' : undefined),
  restart: ({ restart }) => (restart === undefined ? 'the harness cannot restart the backend' : undefined),
  session: ({ sessionMs }) => (sessionMs === undefined ? 'a handler may take as long as it likes' : undefined),
  crash: ({ processes, clients, checkpointed = false }) => {
    if (processes === undefined) return 'the harness cannot start processes';
    return clients === 'one' && !checkpointed ? 'nothing outlives the process' : undefined;
  },
  processes: ({ processes, clients, capabilities }) => {
    if (processes === undefined) return 'the harness cannot start processes';
    if (clients === 'one') return 'each process is a backend of its own';
    return capabilities.sharesGroupAcrossProcesses ? undefined : 'processes do not share a group';
  },
};
