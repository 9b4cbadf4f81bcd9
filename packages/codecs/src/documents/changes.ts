import type { AsyncApiDocument } from './asyncapi.ts';
import type { EventSchemas } from './json-schemas.ts';
import { schemaChanges } from './schema-changes.ts';

/** One version of an event type in a snapshot. `root`: what the references of its schema begin at. */
interface Described {
  readonly topic: string;
  readonly schema: unknown;
  readonly root: unknown;
}

type Snapshot = ReadonlyMap<string, ReadonlyMap<number, Described>>;

/**
 * What of `after` breaks those who write or read messages by `before`, in words, each with the event and the field; none when nothing
 * does. Both are what `jsonSchemas` or `asyncApi` made, perhaps long ago and read from a file.
 *
 * An event or a version that is gone, another topic, a version that is lowered; a field that is removed, of another type, no longer
 * always there, newly required; values, limits, patterns and formats that refuse what was sent before, or are new to readers. Not: a
 * new event, a new field that may be absent, a wider limit, texts and defaults. Where the version was raised, the latest of both are
 * compared: an upcast helps the readers of this catalogue, and no others.
 */
export function documentChanges(
  before: EventSchemas | AsyncApiDocument,
  after: EventSchemas | AsyncApiDocument,
): readonly string[] {
  const now = snapshotOf(after);
  return [...snapshotOf(before)].flatMap(([type, versions]) => {
    const current = now.get(type);
    if (current === undefined) return [`"${type}": the event is removed`];
    return eventChanges(type, versions, current);
  });
}

function eventChanges(
  type: string,
  before: ReadonlyMap<number, Described>,
  after: ReadonlyMap<number, Described>,
): string[] {
  const latest = Math.max(...after.keys());
  const was = Math.max(...before.keys());
  const changes: string[] = [];
  if (latest < was) changes.push(`"${type}": the version is lowered from ${was} to ${latest}`);
  for (const [version, old] of before) {
    const same = after.get(version);
    // Of older versions only those count that are still described: catalogues hold the current one.
    const current = same ?? (version === was ? after.get(latest) : undefined);
    if (current === undefined) continue;
    const what =
      same === undefined ? `"${type}" from version ${version} to ${latest}` : `"${type}" of version ${version}`;
    if (old.topic !== current.topic) changes.push(`${what}: the topic is "${current.topic}", no longer "${old.topic}"`);
    changes.push(...schemaChanges(old, current).map((change) => `${what}: ${change}`));
  }
  return changes;
}

function snapshotOf(given: EventSchemas | AsyncApiDocument): Snapshot {
  const events = new Map<string, Map<number, Described>>();
  const add = (type: string, version: number, described: Described): void => {
    const versions = events.get(type) ?? new Map<number, Described>();
    events.set(type, versions.set(version, described));
  };
  if (isAsyncApi(given)) {
    for (const { address, messages } of Object.values(given.channels))
      for (const name of Object.keys(messages)) {
        const message = given.components.messages[name];
        if (message) add(message.name, message['x-version'], { topic: address, schema: message.payload, root: given });
      }
  } else {
    for (const [type, versions] of Object.entries(given))
      for (const [version, { topic, schema }] of Object.entries(versions))
        add(type, Number(version), { topic, schema, root: schema });
  }
  return events;
}

/** An event type may be called "asyncapi" too; its versions are no text. */
const isAsyncApi = (given: EventSchemas | AsyncApiDocument): given is AsyncApiDocument =>
  typeof (given as Readonly<Record<string, unknown>>)['asyncapi'] === 'string';
