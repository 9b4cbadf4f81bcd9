import { randomUUID } from 'node:crypto';
import type { EventStore, Message } from '@bento-bus/core';
import { BentoError, configurationError } from '@bento-bus/core';
import { Ledger } from './ledger.ts';
import { restoreMessage, type StoredMessage, storeMessage } from './parked-message.ts';
import type { ParkedFailure, ParkedMessage, ParkingPlace, ParkingStore, ToPark } from './store.ts';

/** Options of {@link createParkingStore}. */
export interface ParkingStoreOptions {
  /** Any event store. Not closed by the parking store. */
  readonly store: EventStore;
  /** Sequences whose state is remembered between calls; others are read again. @default 1_000 */
  readonly cacheSize?: number;
  /** Epoch milliseconds. @default Date.now */
  readonly now?: () => number;
}

/** What happens to a sequence. */
type SequenceEvent =
  | {
      readonly kind: 'parked';
      readonly message: StoredMessage;
      readonly position: string;
      readonly failure?: ParkedFailure;
    }
  | { readonly kind: 'failed'; readonly index: number; readonly failure: ParkedFailure }
  | { readonly kind: 'drained'; readonly index: number }
  | { readonly kind: 'closed' };
/** What the index of a group and topic knows. */
interface IndexEvent {
  readonly kind: 'opened' | 'closed';
  readonly key: string;
  readonly sequence: string;
}

/** `version`: where in the stream its bytes are. */
interface Waiting {
  readonly version: number;
  readonly id: string;
  readonly failure?: ParkedFailure;
}

interface SequenceState {
  /** Messages ever parked in it. */
  count: number;
  closed: boolean;
  /** What waits, by its place, in order. */
  readonly waiting: Map<number, Waiting>;
  /** Identities of all that was ever in it. */
  readonly ids: Set<string>;
}

const streamType = '$parking';

/**
 * A {@link ParkingStore} over an event store: streams of type `$parking`, which are never published. One stream a sequence holds what is
 * parked (bodies in base64), one a group and topic which keys have a sequence. Any number of processes may use one log.
 */
export function createParkingStore(options: ParkingStoreOptions): ParkingStore {
  const { store, cacheSize = 1_000, now = Date.now } = options;
  const faults: string[] = [];
  if (typeof (store as Partial<EventStore> | undefined)?.saveEvents !== 'function')
    faults.push('store must be an EventStore');
  if (!Number.isSafeInteger(cacheSize) || cacheSize < 1) faults.push('cacheSize must be a whole number from 1');
  if (faults.length > 0) throw configurationError('dlq: cannot create the parking store', faults);

  const sequences = new Ledger<SequenceState, SequenceEvent>({
    store,
    streamType,
    cacheSize,
    now,
    initial: () => ({ count: 0, closed: false, waiting: new Map(), ids: new Set() }),
    apply: applySequence,
  });
  const indexes = new Ledger<Map<string, string>, IndexEvent>({
    store,
    streamType,
    cacheSize,
    now,
    initial: () => new Map(),
    apply: (open, { kind, key, sequence }) => {
      if (kind === 'opened') open.set(key, sequence);
      else if (open.get(key) === sequence) open.delete(key);
    },
  });
  const addTo = (place: ParkingPlace, sequence: string, one: ToPark, failure?: ParkedFailure): Promise<boolean> =>
    sequences.change(sequenceId(place, sequence), ({ closed, ids }) => {
      if (closed) return { result: false };
      if (ids.has(identityOf(one.message))) return { result: true };
      const { message, position } = one;
      const event: SequenceEvent = {
        kind: 'parked',
        message: storeMessage(message),
        position,
        ...(failure && { failure }),
      };
      return { result: true, events: [event] };
    });

  const close = ({ group, topic, key }: ParkingPlace, sequence: string): Promise<void> =>
    indexes.change(indexId(group, topic), (open) =>
      open.get(key) === sequence
        ? { result: undefined, events: [{ kind: 'closed', key, sequence }] }
        : { result: undefined },
    );

  /** Reads the bytes of what waits, in one go from the first of them to the last. */
  const load = async (
    place: ParkingPlace,
    sequence: string,
    waiting: readonly (readonly [index: number, waiting: Waiting])[],
  ): Promise<readonly ParkedMessage[]> => {
    const found: ParkedMessage[] = [];
    const [first] = waiting;
    if (first === undefined) return found;
    const stream = { type: streamType, id: sequenceId(place, sequence) };
    for await (const { data, streamVersion } of store.getEvents(stream, first[1].version)) {
      const [index, { version, failure }] = waiting[found.length] ?? first;
      if (streamVersion !== version) continue;
      const { message, position } = data as Extract<SequenceEvent, { kind: 'parked' }>;
      found.push({ sequence, index, message: restoreMessage(message), position, ...(failure && { failure }) });
      if (found.length === waiting.length) return found;
    }
    throw new BentoError('UNSUPPORTED', `dlq: cannot read what is parked under "${place.key}": its events are gone.`);
  };

  const list: ParkingStore['list'] = async (place, sequence, limit = 1_000) => {
    const { waiting } = await sequences.read(sequenceId(place, sequence));
    return load(place, sequence, [...waiting].slice(0, limit));
  };
  const head: ParkingStore['head'] = async (place, sequence) => (await list(place, sequence, 1))[0];

  return {
    open: (group, topic) => indexes.read(indexId(group, topic)),
    begin: async (place, first, failure) => {
      const { group, topic, key } = place;
      for (;;) {
        const found = (await indexes.read(indexId(group, topic))).get(key);
        const sequence = found ?? randomUUID();
        if (!(await addTo(place, sequence, first, failure))) {
          await close(place, sequence);
          continue;
        }
        const opened = await indexes.change(indexId(group, topic), (open) => {
          const other = open.get(key);
          if (other !== undefined) return { result: other === sequence };
          return found === undefined
            ? { result: true, events: [{ kind: 'opened', key, sequence }] }
            : // It ended in between, with this message in it or without.
              { result: false };
        });
        if (!opened) continue;
        const state = await sequences.read(sequenceId(place, sequence));
        const identity = identityOf(first.message);
        return (
          await load(
            place,
            sequence,
            [...state.waiting].filter(([, { id }]) => id === identity),
          )
        )[0];
      }
    },
    add: async (place, sequence, one) => {
      const added = await addTo(place, sequence, one);
      if (!added) await close(place, sequence);
      return added;
    },
    head,
    list,
    failed: (place, sequence, index, failure) =>
      sequences.change(sequenceId(place, sequence), ({ waiting }) =>
        waiting.has(index)
          ? { result: undefined, events: [{ kind: 'failed', index, failure }] }
          : { result: undefined },
      ),
    drained: async (place, sequence, index) => {
      const ended = await sequences.change(sequenceId(place, sequence), ({ waiting, closed }) => {
        if (closed) return { result: true };
        const events: SequenceEvent[] = [];
        if (waiting.has(index)) events.push({ kind: 'drained', index });
        const isLast = waiting.size === events.length;
        if (isLast) events.push({ kind: 'closed' });
        return { result: isLast, events };
      });
      if (ended) {
        await close(place, sequence);
        return undefined;
      }
      return head(place, sequence);
    },
  };
}

const indexId = (group: string, topic: string): string => JSON.stringify(['index', group, topic]);
const sequenceId = ({ group, topic }: ParkingPlace, sequence: string): string =>
  JSON.stringify(['sequence', group, topic, sequence]);

/** Unique together (CloudEvents 1.0); a line break is in no source. */
const identityOf = ({ source, id }: Pick<Message, 'source' | 'id'>): string => `${source}\n${id}`;

function applySequence(state: SequenceState, event: SequenceEvent, version: number): void {
  if (event.kind === 'parked') {
    const { failure } = event;
    const id = identityOf(event.message);
    state.count += 1;
    state.ids.add(id);
    state.waiting.set(state.count, { version, id, ...(failure && { failure }) });
  } else if (event.kind === 'failed') {
    const parked = state.waiting.get(event.index);
    if (parked !== undefined) state.waiting.set(event.index, { ...parked, failure: event.failure });
  } else if (event.kind === 'drained') state.waiting.delete(event.index);
  else {
    state.closed = true;
    state.waiting.clear();
  }
}
