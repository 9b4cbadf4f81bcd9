import {
  BentoError,
  canDiagnose,
  configurationError,
  type EventStore,
  type Finding,
  type StoredEvent,
  type Transport,
} from '@bento-bus/core';
import { closeOnce, thrownText } from '@bento-bus/core/adapter';
import { FailedMessages } from './failed.ts';
import type { Operations, ProjectionStatus } from './operations.ts';
import type { OperationsParts } from './parts.ts';
import { relayStatus } from './relay-status.ts';
import { tail } from './tail.ts';

const defaultEvents = 100;

/** Operations over the parts at hand. Throws a `CONFIGURATION` error that names what is missing. `close` closes none of the parts. */
export function createOperations<Parking>(parts: OperationsParts<Parking>): Operations {
  check(parts);
  const { admin, application, store, storeName, relay, projections } = parts;
  let opening: Promise<Transport> | undefined;
  const transport = (): Promise<Transport> => {
    opening ??= Promise.resolve(typeof parts.transport === 'function' ? parts.transport() : parts.transport);
    return opening;
  };
  const failed = new FailedMessages(parts, transport);

  const storeFor = (what: string): EventStore => {
    if (store !== undefined) return store;
    throw unsupported(
      what,
      'no event store is configured',
      'Set CLICKHOUSE_HOST, or name the data directory of the application',
    );
  };
  const projectionsFor = (what: string): NonNullable<typeof projections> => {
    if (projections !== undefined) return projections;
    throw unsupported(what, 'only the application knows its projections', 'Start the application, and ask again');
  };

  return {
    about: async () => ({
      backend: admin.name,
      ...(application !== undefined && { application }),
      ...(storeName !== undefined && { store: storeName }),
      remote: false,
    }),
    diagnose: async () => {
      const looks = [...(canDiagnose(admin) ? [() => admin.diagnose()] : []), ...(parts.diagnose ?? [])];
      const found: Finding[] = [];
      for (const look of looks) found.push(...(await guarded(look)));
      return found;
    },

    listTopics: (options) => admin.listTopics(options),
    describeTopic: (topic) => admin.describeTopic(topic),
    createTopic: (topic, options) => admin.createTopic(topic, options),
    deleteTopic: (topic) => admin.deleteTopic(topic),
    setPartitions: (topic, partitions) => admin.setPartitions(topic, partitions),
    configureTopic: (topic, config) => admin.configureTopic(topic, config),
    listGroups: (topic) => admin.listGroups(topic),
    describeGroup: (topic, group) => admin.describeGroup(topic, group),
    createGroup: (topic, group, at) => admin.createGroup(topic, group, at),
    resetGroup: (topic, group, to) => admin.reset(topic, group, to),
    skip: (topic, group, count, options) => admin.skip(topic, group, count, options),
    deleteGroup: (group, topics) => admin.deleteGroup(group, topics),
    peek: async (topic, group, options) =>
      (await admin.peek(topic, group, options)).map(({ partition, position, message }) => ({
        topic,
        partition,
        position,
        message,
      })),

    publish: async (topic, messages) => (await transport()).publish(topic, messages),
    async *tail(topic, options) {
      yield* tail(admin, parts.reader ?? (await transport()), topic, options);
    },

    failedPlaces: () => failed.places(),
    listFailed: (topic, group, { filter, limit } = {}) => failed.list({ topic, group }, filter, limit),
    redrive: (topic, group, options = {}) => failed.run('redrive', { topic, group }, options),
    discard: (topic, group, options = {}) => failed.run('discard', { topic, group }, options),

    relay: async () => relayStatus(storeFor('look at the relay'), transport, relay),
    projections: async () => {
      const known = projectionsFor('look at projections');
      const all: ProjectionStatus[] = [];
      for (const projection of known.names) {
        const rows = await known.failed(projection);
        all.push({
          projection,
          failed: rows.map((row) => ({
            stream: { type: row.streamType, id: row.streamId },
            eventType: row.eventType,
            reason: row.reason,
            failedAt: row.failedAt,
          })),
        });
      }
      return all;
    },
    rebuild: async (projection, options = {}) => {
      const known = projectionsFor(`rebuild "${projection}"`);
      const { names } = known;
      if (!names.includes(projection))
        throw configurationError(`admin: cannot rebuild "${projection}"`, [
          `there are ${names.map((name) => `"${name}"`).join(', ')}`,
        ]);
      if (known.rebuild === undefined)
        throw unsupported(
          `rebuild "${projection}"`,
          'only the application can fill its read models',
          'Start the application, and ask again',
        );
      await known.rebuild(projection, options);
    },

    stream: async (stream, { from = 1, limit = Number.POSITIVE_INFINITY } = {}) =>
      collect(storeFor('read a stream').getEvents(stream, from), limit),
    events: async ({ after = '', limit = defaultEvents } = {}) =>
      collect(storeFor('read the log').readAll(after, { limit }), limit),
    ...closeOnce(async () => {}),
  };
}

async function collect(events: AsyncIterable<StoredEvent>, limit: number): Promise<readonly StoredEvent[]> {
  const all: StoredEvent[] = [];
  if (limit < 1) return all;
  for await (const event of events) {
    all.push(event);
    if (all.length >= limit) break;
  }
  return all;
}

/** One look that fails must not hide what the others find. */
async function guarded(look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [
      {
        check: 'diagnosis',
        level: 'fault',
        found: thrownText(error),
        advice: 'This look should not fail: mend what it says, or report it.',
      },
    ];
  }
}

const has = (value: unknown, method: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[method] === 'function';

function check(parts: { readonly [K in keyof OperationsParts]?: unknown }): void {
  const faults: string[] = [];
  if (!has(parts.admin, 'listTopics')) faults.push('admin must be a MessagingAdmin, as an adapter makes it');
  if (typeof parts.transport !== 'function' && !has(parts.transport, 'publish'))
    faults.push('transport must be a Transport, or a function that gives one');
  if (!has(parts.dlq, 'redrive'))
    faults.push("dlq must be the functions of @bento-bus/dlq: import * as dlq from '@bento-bus/dlq'");
  if (faults.length > 0) throw configurationError('admin: cannot create the operations', faults);
}

const unsupported = (what: string, why: string, todo: string): BentoError =>
  new BentoError('UNSUPPORTED', `admin: cannot ${what}: ${why}. ${todo}.`);
