import { setTimeout } from 'node:timers/promises';
import { fullJitter } from '@bento-bus/core/adapter';
import { type API, type Connection, findCoordinatorV3, metadataV9 } from '@platformatic/kafka';
import type { ResolvedOptions } from '../options.ts';
import { type Address, Connections } from './connections.ts';
import { answerOf, ClientError, faultOf, isRetriable, typeOf } from './faults.ts';

// Versions of requests are fixed: those that brokers since 2.4 and up to 4 have in common, so nothing has to be negotiated.

const backoff = fullJitter({ baseMs: 50, capMs: 1_000 });

type Metadata = Awaited<ReturnType<typeof metadataV9.api.async>>;

/** Who may be asked for a group or a transactional id. */
export type Role = 'group' | 'transaction';
const roles: Readonly<Record<Role, number>> = { group: 0, transaction: 1 };

/** One request and its answer. Rejects with a {@link ClientError}. */
export async function ask<A extends unknown[], R>(
  connection: Promise<Connection>,
  api: API<A, R>,
  ...given: A
): Promise<R> {
  const opened = await connection;
  try {
    return await api.async(opened, ...given);
  } catch (error) {
    throw faultOf(error, opened);
  }
}

/** Until when something is tried again here: callers with more patience begin anew. */
export const soon = ({ requestTimeoutMs }: ResolvedOptions): number => Date.now() + Math.min(requestTimeoutMs, 3_000);

/** Tries until it succeeds, or fails for good, or until the time is over. */
export async function retrying<T>(deadline: number, work: () => Promise<T>, isOver = () => false): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (error) {
      const wait = backoff(failures);
      if (!isRetriable(error) || isOver() || Date.now() + wait > deadline) throw error;
      await setTimeout(wait);
    }
  }
}

/** What a broker knows of a topic: who leads its partitions, or why it does not say. -1: nobody. */
export interface TopicState {
  readonly error: ClientError | undefined;
  readonly leaders: readonly number[];
}

/** The brokers, and what they are responsible for. */
export class Cluster {
  readonly connections: Connections;
  readonly #bootstrap: readonly Address[];
  #nodes: ReadonlyMap<number, Address> = new Map();
  #controller = -1;
  readonly #leaders = new Map<string, readonly number[]>();
  readonly #coordinators = new Map<string, number>();
  #turn = 0;

  constructor(options: ResolvedOptions) {
    this.connections = new Connections(options, options.requestTimeoutMs);
    this.#bootstrap = options.brokers.map((broker) => {
      const colon = broker.lastIndexOf(':');
      return { host: broker.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(broker.slice(colon + 1)) };
    });
  }

  /** Asks a broker anew: the first thing to do, since it finds out what is missing to be let in. Undefined: for all topics. */
  async look(topics?: readonly string[]): Promise<ReadonlyMap<string, TopicState>> {
    const { brokers, controllerId, topics: found } = await this.#metadata(topics);
    this.#nodes = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    this.#controller = controllerId;
    const states = new Map<string, TopicState>();
    for (const { name, errorCode, partitions } of found) {
      const leaders: number[] = [];
      for (const { partitionIndex, leaderId } of partitions) leaders[partitionIndex] = leaderId;
      states.set(name, { error: errorCode === 0 ? undefined : answerOf(errorCode), leaders });
      if (errorCode === 0) this.#leaders.set(name, leaders);
    }
    return states;
  }

  /** Who leads the partitions of the topic; as last known. Rejects with what a broker has against it. */
  async leaders(topic: string): Promise<readonly number[]> {
    const known = this.#leaders.get(topic);
    if (known !== undefined) return known;
    const state = (await this.look([topic])).get(topic);
    if (state?.error !== undefined) throw state.error;
    return state?.leaders ?? [];
  }

  /** As last known; empty where nothing is. */
  known(topic: string): readonly number[] {
    return this.#leaders.get(topic) ?? [];
  }

  /** Something has changed: the next one to ask for its leaders looks again. */
  forget(topic: string): void {
    this.#leaders.delete(topic);
  }

  /** A connection to a broker; to any that can be reached, if it is not known. */
  async node(id: number, connections: Connections = this.connections): Promise<Connection> {
    const address = this.#nodes.get(id);
    if (address === undefined) throw new ClientError('NETWORK', `broker ${id} is not known`, true);
    return connections.get(address);
  }

  async any(): Promise<Connection> {
    const all = [...this.#nodes.values(), ...this.#bootstrap];
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.connections.get(all[this.#turn % all.length] as Address);
      } catch (error) {
        this.#turn += 1;
        if (tries >= all.length) throw error;
      }
    }
  }

  /** A request to the controller; every try looks for it anew. */
  control<A extends unknown[], R>(deadline: number, api: API<A, R>, ...given: A): Promise<R> {
    return retrying(deadline, async () => {
      await this.look([]);
      return ask(this.node(this.#controller), api, ...given);
    });
  }

  /** A request to the coordinator. After an error the next one looks for it anew. */
  async coordinate<A extends unknown[], R>(
    role: Role,
    key: string,
    connections: Connections,
    api: API<A, R>,
    ...given: A
  ): Promise<R> {
    const at = `${role} ${key}`;
    try {
      if (!this.#coordinators.has(at)) {
        const { coordinators } = await ask(this.any(), findCoordinatorV3.api, roles[role], [key]);
        const { nodeId, host, port } = coordinators[0] as (typeof coordinators)[number];
        this.#nodes = new Map([...this.#nodes, [nodeId, { host, port }]]);
        this.#coordinators.set(at, nodeId);
      }
      return await ask(this.node(this.#coordinators.get(at) as number, connections), api, ...given);
    } catch (error) {
      if (isRetriable(error)) this.#coordinators.delete(at);
      throw error;
    }
  }

  /** Errors of single topics are part of the answer. */
  async #metadata(topics: readonly string[] | undefined): Promise<Metadata> {
    const connection = await this.any();
    try {
      return await metadataV9.api.async(connection, topics === undefined ? null : [...topics], false, false);
    } catch (error) {
      const { response } = error as { readonly response?: Metadata };
      if (response !== undefined) return response;
      this.#turn += 1;
      const fault = faultOf(error, connection);
      const { host = '', port = 0 } = connection;
      const isLost = typeOf(fault) === 'NETWORK' && isRetriable(fault);
      throw (isLost && (await this.connections.demandOf({ host, port }))) || fault;
    }
  }
}
