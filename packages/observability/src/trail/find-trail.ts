import {
  configurationError,
  type Logger,
  type Message,
  type MessagingAdmin,
  silentLogger,
  type Transport,
} from '@bento-bus/core';
import { copyHeaders } from '../copy-headers.ts';
import { type Facts, factsOf, placeOf, type TrailMessage, type TrailStep, toldOf } from './message.ts';
import { type Look, type ReadingParts, readTopics } from './reading.ts';
import { type TrailTree, treeOf } from './tree.ts';

/** Options of {@link findTrail}. */
export interface FindTrailOptions {
  /** Of the message. */
  readonly id: string;
  readonly transport: Transport;
  /** Of the same backend. */
  readonly admin: Pick<MessagingAdmin, 'listTopics' | 'describeTopic' | 'listGroups' | 'peek' | 'deleteGroup'>;
  /** Where it is looked for, with the retry, dead-letter and audit topics of these. @default all topics */
  readonly topics?: readonly string[];
  /** Messages before this time are passed over, where the backend can begin at a time. Epoch milliseconds. @default all that the backend has */
  readonly since?: number;
  /** Messages of the flow that are kept, at most. @default 1_000 */
  readonly limit?: number;
  /** A topic whose last message does not come, as one that is not due yet, has ended after so long. Milliseconds. @default 5_000 */
  readonly idleMs?: number;
  /** Ends the search; the result has what was found. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrailProgress) => void;
  /** @default silentLogger */
  readonly logger?: Logger;
}

/** How far a search is. */
export interface TrailProgress {
  /** First the message is looked for, then all of its flow is collected. */
  readonly pass: 'search' | 'collect';
  /** Messages read in this pass. */
  readonly read: number;
  /** Messages of the flow. */
  readonly found: number;
}

/** What the backend has of a message and its flow. */
export interface FoundTrail {
  /** The message between what it came from and what it caused; undefined: it was not found. */
  readonly tree: TrailTree<TrailMessage> | undefined;
  /** All of the flow, by time. */
  readonly messages: readonly TrailMessage[];
  /** False: `limit` or the signal ended it, there may be more. */
  readonly complete: boolean;
}

/** A sign of life after so many messages. */
const progressEvery = 500;

/**
 * Finds a message on the backend, and all messages of its flow: those with its correlation id. Reads the topics twice, once for the
 * message and once for its flow, keeps nothing but what belongs to it, and leaves no group behind. Copies on retry, dead-letter and audit
 * topics count as steps of their message. What the backend no longer has cannot be found: Pulsar deletes what all its subscriptions have
 * acknowledged, unless a retention policy keeps it. Rejects with what the backend rejects with.
 */
export async function findTrail(options: FindTrailOptions): Promise<FoundTrail> {
  const {
    admin,
    id,
    limit = 1_000,
    idleMs = 5_000,
    logger = silentLogger,
    onProgress,
    signal,
    since,
    transport,
  } = options;
  check({ id, limit, idleMs, since });
  const parts: ReadingParts = { admin, transport, since, idleMs, signal, logger };
  const topics = await topicsOf(admin, options.topics);

  const search = progressOf('search', onProgress);
  let flow: string | undefined;
  await readTopics(parts, topics, (topic, message) => {
    if (message.id === id) flow = factsOf(message, topic).correlationId;
    search.saw(flow === undefined ? 0 : 1);
    return flow === undefined;
  });
  search.end(flow === undefined ? 0 : 1);
  if (flow === undefined) return { tree: undefined, messages: [], complete: signal?.aborted !== true };

  const collect = progressOf('collect', onProgress);
  const found = new Map<string, Collected>();
  const look: Look = (topic, message, position) => {
    if (message.id === id || factsOf(message, topic).correlationId === flow) {
      const known = found.get(message.id);
      if (known === undefined && found.size >= limit) return false;
      const collected = known ?? new Collected();
      found.set(message.id, collected);
      collected.add(topic, message, position);
    }
    collect.saw(found.size);
    return true;
  };
  const complete = await readTopics(parts, topics, look);
  collect.end(found.size);
  const messages = Array.from(found.values(), (one) => one.told()).toSorted((a, b) => a.time - b.time);
  return { tree: treeOf(messages, id), messages, complete };
}

/** One message, from all places where it stands. */
class Collected {
  #facts: Facts | undefined;
  readonly #steps = new Map<string, TrailStep>();

  add(topic: string, message: Message, position: string): void {
    const { headers, time } = message;
    const { lastFailed, originTopic, redriven } = copyHeaders;
    const at = Number(headers[lastFailed] ?? headers[redriven] ?? time);
    const step = { ...placeOf(topic, message, at), position };
    // The message itself says more than a copy, whose reader may have edited it.
    if (this.#facts === undefined || step.kind === 'sent')
      this.#facts = factsOf(message, headers[originTopic] ?? topic);
    this.#steps.set(`${topic} ${position}`, step);
  }

  told(): TrailMessage {
    const steps = Array.from(this.#steps.values()).toSorted((a, b) => a.at - b.at);
    return toldOf(this.#facts as Facts, steps);
  }
}

const beside = /-(?:RETRY|DLQ|AUDIT)$/;

async function topicsOf(
  admin: FindTrailOptions['admin'],
  wanted: readonly string[] | undefined,
): Promise<readonly string[]> {
  const all = await admin.listTopics({ internal: true });
  const copies = all.filter((topic) => beside.test(topic));
  if (wanted === undefined) return [...new Set([...(await admin.listTopics()), ...copies])];
  const ofWanted = copies.filter((topic) => wanted.some((one) => topic.startsWith(`${one}-`)));
  return [...new Set([...wanted, ...ofWanted])];
}

function progressOf(
  pass: TrailProgress['pass'],
  tell: FindTrailOptions['onProgress'],
): { readonly saw: (found: number) => void; readonly end: (found: number) => void } {
  let read = 0;
  const end = (found: number): void => tell?.({ pass, read, found });
  return {
    end,
    saw: (found) => {
      read += 1;
      if (read % progressEvery === 0) end(found);
    },
  };
}

function check({
  id,
  limit,
  idleMs,
  since,
}: {
  readonly id: string;
  readonly limit: number;
  readonly idleMs: number;
  readonly since: number | undefined;
}): void {
  const faults: string[] = [];
  if (typeof id !== 'string' || id === '') faults.push('id must be the id of a message');
  if (!(Number.isSafeInteger(limit) && limit > 0)) faults.push(`limit must be a whole number from 1, not ${limit}`);
  if (!(idleMs > 0)) faults.push(`idleMs must be a number of milliseconds above 0, not ${idleMs}`);
  if (since !== undefined && !Number.isFinite(since)) faults.push(`since must be epoch milliseconds, not ${since}`);
  if (faults.length > 0) throw configurationError('observability: cannot find a trail', faults);
}
