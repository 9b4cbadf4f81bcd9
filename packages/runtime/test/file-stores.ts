// A durable event store and checkpoint store, as small as the test allows: files in one folder. They survive SIGKILL, not a power cut.
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CheckpointStore, ConcurrencyError, type EventStore, type StoredEvent } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';

/** One line a commit, appended by a single write. Several processes may append as long as no two write the same stream. */
export function openFileEventStore(folder: string): EventStore {
  const file = join(folder, 'events.jsonl');
  const read = (): StoredEvent[] => {
    if (!existsSync(file)) return [];
    const commits = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return commits.flatMap((line, commit) =>
      (JSON.parse(line) as Omit<StoredEvent, 'position'>[]).map((event, index) =>
        Object.assign(event, { position: `${String(commit + 1).padStart(8, '0')}-${String(index).padStart(4, '0')}` }),
      ),
    );
  };
  const inStream = (stream: StoredEvent['stream']): StoredEvent[] =>
    read().filter((event) => event.stream.type === stream.type && event.stream.id === stream.id);
  return {
    identity: `file:${file}`,
    head: async () => read().at(-1)?.position ?? '',
    saveEvents: async (stream, events, expectedVersion) => {
      const before = inStream(stream);
      const again = before.slice(expectedVersion, expectedVersion + events.length);
      if (again.length > 0 && events.every(({ id }, index) => again[index]?.id === id))
        return again.at(-1)?.position ?? '';
      if (before.length !== expectedVersion) throw new ConcurrencyError(stream, expectedVersion, before.length);
      const stored = events.map(({ version, ...event }, index) => ({
        ...event,
        stream,
        streamVersion: expectedVersion + index + 1,
        eventVersion: version,
      }));
      appendFileSync(file, `${JSON.stringify(stored)}\n`);
      return inStream(stream).at(-1)?.position ?? '';
    },
    async *getEvents(stream, fromVersion = 1) {
      yield* inStream(stream).slice(fromVersion - 1);
    },
    async *readAll(after, { limit } = {}) {
      yield* read()
        .filter((event) => event.position > after)
        .slice(0, limit);
    },
    ...closeOnce(() => undefined),
  };
}

/** One file a name. `onWrite` is told when a write begins and when it stands. */
export function openFileCheckpoints(folder: string, onWrite: (what: 'saving' | 'saved') => void): CheckpointStore {
  const fileOf = (name: string): string => join(folder, `checkpoint-${encodeURIComponent(name)}`);
  return {
    read: async (name) => (existsSync(fileOf(name)) ? readFileSync(fileOf(name), 'utf8') : undefined),
    write: async (name, value) => {
      onWrite('saving');
      // A real store answers later; what is handled meanwhile is in flight.
      await new Promise(setImmediate);
      const draft = `${fileOf(name)}.draft`;
      writeFileSync(draft, value);
      renameSync(draft, fileOf(name));
      onWrite('saved');
    },
    ...closeOnce(() => undefined),
  };
}
