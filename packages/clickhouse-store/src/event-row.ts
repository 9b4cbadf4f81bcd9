import type { NewEvent, StoredEvent, StreamId } from '@bento-bus/core';
import { fault, invalid } from './errors.ts';
import { exactJson } from './exact-json.ts';
import { toPosition } from './position.ts';
import { timeFault, toTime } from './time.ts';
import { isWellFormed } from './well-formed.ts';

/** Columns an insert fills, in the order of {@link encodeEvent} and {@link sealRow}. `_ingest_time` has a default. */
export const eventColumns: readonly string[] = [
  'event_id',
  'event_type',
  'aggregate_id',
  'aggregate_type',
  'version',
  'payload',
  'metadata',
  'timestamp',
  'batch',
  'idx',
  'writer',
];

/** What a SELECT of events asks for, in the order of {@link EventRow}. */
export const eventSelection: string =
  'event_id, event_type, aggregate_id, aggregate_type, version, payload, metadata, toUnixTimestamp64Milli(timestamp), batch, idx';

/** A row of {@link eventSelection}. 64-bit numbers may come as strings. */
export type EventRow = readonly [
  id: string,
  type: string,
  aggregateId: string,
  aggregateType: string,
  version: number,
  payload: string,
  metadata: string,
  time: number | string,
  batch: number | string,
  idx: number,
];

/** Metadata keys that begin with `$` are ours. */
const eventVersionKey = '$eventVersion';

/** Hard limits of one `saveEvents`: it must stay one block of the engine to be all or nothing. */
const saveLimits: { readonly events: number; readonly bytes: number } = { events: 100_000, bytes: 67_108_864 };

// The column is UInt32; one save may add 100,000.
const maxVersion = 4_294_800_000;

const describe = (stream: StreamId): string => `save events of "${stream.type}/${stream.id}"`;

/** Throws `VALIDATION` unless both parts are non-empty well-formed strings. */
export function checkStream(stream: StreamId, doing: string): void {
  const issues = (['type', 'id'] as const)
    .filter((part) => !isText(stream[part]))
    .map((part) => ({ path: `stream.${part}`, message: 'is not a non-empty well-formed string' }));
  if (issues.length > 0) throw invalid(doing, issues, 'Pass both parts of the stream.');
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && isWellFormed(value);

/** Rows of one save, without the place in the log, and their size in characters. */
export interface EncodedEvents {
  readonly rows: readonly string[];
  readonly size: number;
}

/** Checks and encodes the events of one save. Throws `VALIDATION` with every fault, `OVERSIZE`. */
export function encodeEvents(stream: StreamId, events: readonly NewEvent[], expectedVersion: number): EncodedEvents {
  const doing = describe(stream);
  checkStream(stream, doing);
  const issues: { path: string; message: string }[] = [];
  if (!Number.isSafeInteger(expectedVersion) || expectedVersion < 0 || expectedVersion > maxVersion)
    issues.push({ path: 'expectedVersion', message: `is not a whole number from 0 to ${maxVersion}` });
  if (events.length === 0) issues.push({ path: 'events', message: 'is empty' });
  if (new Set(events.map(({ id }) => id)).size < events.length)
    issues.push({ path: 'events', message: 'has two events of one id' });
  if (events.length > saveLimits.events)
    throw tooLarge(doing, `${events.length} events, the limit is ${saveLimits.events}`);
  const rows: string[] = [];
  let size = 0;
  events.forEach((event, i) => {
    const row = encodeEvent(stream, event, expectedVersion + 1 + i, `events[${i}]`, issues);
    rows.push(row);
    size += row.length;
  });
  if (issues.length > 0) throw invalid(doing, issues, 'Nothing was saved; mend the events and save them again.');
  if (size > saveLimits.bytes) throw tooLarge(doing, `${size} characters of events, the limit is ${saveLimits.bytes}`);
  return { rows, size };
}

const tooLarge = (doing: string, reason: string): Error =>
  fault('OVERSIZE', doing, reason, 'Save fewer or smaller events at once.');

function encodeEvent(
  stream: StreamId,
  event: NewEvent,
  streamVersion: number,
  path: string,
  issues: { path: string; message: string }[],
): string {
  const add = (field: string, message: string): void => {
    issues.push({ path: `${path}.${field}`, message });
  };
  if (!isText(event.id)) add('id', 'is not a non-empty well-formed string');
  if (!isText(event.type)) add('type', 'is not a non-empty well-formed string');
  if (!Number.isSafeInteger(event.version) || event.version < 1) add('version', 'is not a whole number from 1');
  const badTime = timeFault(event.time);
  if (badTime !== undefined) add('time', badTime);
  for (const [key, value] of Object.entries(event.metadata ?? {})) {
    if (typeof value !== 'string') add(`metadata.${key}`, 'is not a string');
    if (key.startsWith('$')) add(`metadata.${key}`, 'begins with $, which is reserved');
  }
  const data = exactJson(event.data);
  if (!('text' in data))
    add(data.path.startsWith('[') || data.path === '' ? `data${data.path}` : `data.${data.path}`, data.message);
  return JSON.stringify([
    event.id,
    event.type,
    stream.id,
    stream.type,
    streamVersion,
    'text' in data ? data.text : '',
    JSON.stringify({ ...event.metadata, [eventVersionKey]: String(event.version) }),
    badTime === undefined ? toTime(event.time) : '',
  ]);
}

/** A whole row: the place and the writer are known only when the batch is. */
export const sealRow = (row: string, batch: number, idx: number, writer: string): string =>
  `${row.slice(0, -1)},${batch},${idx},"${writer}"]\n`;

export function decodeEvent(row: EventRow): StoredEvent {
  const [id, type, aggregateId, aggregateType, version, payload, metadata, time, batch, idx] = row;
  const { [eventVersionKey]: eventVersion, ...rest } = JSON.parse(metadata) as Record<string, string>;
  return {
    id,
    type,
    stream: { type: aggregateType, id: aggregateId },
    streamVersion: version,
    eventVersion: Number(eventVersion),
    data: JSON.parse(payload) as unknown,
    ...(Object.keys(rest).length > 0 && { metadata: rest }),
    time: Number(time),
    position: toPosition({ batch: Number(batch), idx }),
  };
}
