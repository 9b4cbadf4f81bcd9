import { eventually } from '@bento-bus/conformance';
import {
  type BentoError,
  createMessageBus,
  defineReadModel,
  headerNames,
  type Middleware,
  type Transport,
} from '@bento-bus/core';
import {
  Aggregate,
  createInMemoryEventStore,
  createInMemoryReadModels,
  createProjector,
  createRelay,
  createUnitOfWork,
  defineProjection,
  type EventsOf,
} from '@bento-bus/eventsourcing';
import { expect, it } from '@jest/globals';
import type { Backend } from '../support/backends.ts';
import {
  type CodecName,
  catalogue1,
  catalogue2,
  codecNames,
  codecOf,
  issued1,
  issued2,
  upcasted,
} from './catalogues.ts';

const source = '/evolution';
const until = (what: string, check: () => boolean | Promise<boolean>): Promise<void> =>
  eventually(check, { what, deadlineMs: 30_000 });

/** A bus of a program that was built with one version of the catalogue. */
const busOf = (transport: Transport, codec: CodecName, upTo: 1 | 2) =>
  createMessageBus({ transport, codec: codecOf(codec, upTo), source });

/** Publishers and consumers of different versions on one topic. */
export function topicScenarios(backend: Backend): void {
  it.each(codecNames)(
    'a consumer of version 2 reads a topic of version 1, and what comes after it: %s',
    async (codec) => {
      const topic = backend.topic();
      const [first, second] = [catalogue1(topic), catalogue2(topic)];
      const old = busOf(await backend.open(), codec, 1);
      await old.publish(first['invoice.issued'], issued1('i-1'));

      const consumer = busOf(await backend.open(), codec, 2);
      const found: (readonly [unknown, string | undefined])[] = [];
      await consumer.subscribe(
        [second['invoice.issued']],
        async ({ data }, { headers }) => void found.push([data, headers[headerNames.eventVersion]]),
        { group: 'accounts', startPosition: 'earliest' },
      );
      // While programs are replaced one by one, both versions are published.
      await busOf(await backend.open(), codec, 2).publish(second['invoice.issued'], issued2('i-1'));
      await until('the first and the second event', () => found.length >= 2);
      await old.publish(first['invoice.issued'], issued1('i-1'));
      await until('all three events', () => found.length >= 3);

      expect(found).toEqual([
        [upcasted('i-1'), '1'],
        [issued2('i-1'), '2'],
        [upcasted('i-1'), '1'],
      ]);
      await consumer.close();
    },
  );

  it.each(codecNames)('a consumer of version 1 refuses version 2 and says what to do: %s', async (codec) => {
    const topic = backend.topic();
    const errors: BentoError[] = [];
    const catching: Middleware = (next) => async (delivery, signal) => {
      try {
        await next(delivery, signal);
      } catch (error) {
        errors.push(error as BentoError);
      }
    };
    const consumer = busOf(await backend.open(), codec, 1);
    const handled: unknown[] = [];
    await consumer.subscribe([catalogue1(topic)['invoice.issued']], async ({ data }) => void handled.push(data), {
      group: 'accounts',
      startPosition: 'earliest',
      use: [catching],
    });
    await busOf(await backend.open(), codec, 2).publish(catalogue2(topic)['invoice.issued'], issued2('i-1'));
    await until('a refusal', () => errors.length > 0);
    const [error] = errors;
    expect(error).toMatchObject({ code: codec === 'json' ? 'VALIDATION' : 'CODEC', retryable: false });
    expect(error?.message).toMatch(/version 2/);
    expect(handled).toEqual([]);
    await consumer.close();
  });
}

class Invoice1 extends Aggregate<ReturnType<typeof catalogue1>> {
  static readonly streamType = 'invoice';
  static readonly events = catalogue1('unused');

  issue(): void {
    this.record(Invoice1.events['invoice.issued'], issued1(this.id));
  }

  protected apply(): void {
    // It decides nothing.
  }
}

class Invoice2 extends Aggregate<ReturnType<typeof catalogue2>> {
  static readonly streamType = 'invoice';
  static readonly events = catalogue2('unused');
  readonly applied: unknown[] = [];

  issue(): void {
    this.record(Invoice2.events['invoice.issued'], issued2(this.id));
  }

  protected apply({ data }: EventsOf<ReturnType<typeof catalogue2>>): void {
    this.applied.push(data);
  }
}

const invoices = defineReadModel({
  name: 'invoices',
  version: 1,
  key: ['invoiceId'],
  columns: { invoiceId: 'string', customer: 'string', country: 'string', lines: 'integer', dueAt: 'integer' },
});

/** Events stored with version 1, by programs with version 2. */
export function storeScenarios(backend: Backend): void {
  it.each(codecNames)(
    'events stored as version 1 are loaded, published and projected by version 2: %s',
    async (codec) => {
      const topic = backend.topic();
      const events = catalogue2(topic);
      const store = createInMemoryEventStore();
      const unitOfWork = createUnitOfWork({ store });
      await unitOfWork.run(async (scope) => (await scope.load(Invoice1, 'i-1')).issue());
      await unitOfWork.run(async (scope) => (await scope.load(Invoice1, 'i-2')).issue());

      // The aggregate of version 2 goes on where version 1 ended.
      const applied = await unitOfWork.run(async (scope) => {
        const invoice = await scope.load(Invoice2, 'i-1');
        invoice.issue();
        return invoice.applied;
      });
      expect(applied).toEqual([upcasted('i-1'), issued2('i-1')]);

      const projection = defineProjection({
        name: 'invoices',
        streams: ['invoice'],
        events,
        model: invoices,
        evolve: (_row, { data: { invoiceId, customer, lines, dueAt } }) => ({
          invoiceId,
          customer: customer.name,
          country: customer.country,
          lines: lines.length,
          dueAt,
        }),
      });
      const rows = [
        { invoiceId: 'i-1', customer: 'Ünal', country: 'TR', lines: 2, dueAt: issued2('').dueAt },
        { invoiceId: 'i-2', customer: 'Ünal', country: '?', lines: 1, dueAt: upcasted('').dueAt },
      ];
      const fromStore = createInMemoryReadModels();
      await createProjector({ store, readModels: fromStore, projections: [projection] }).catchUp();
      expect(await fromStore.find(invoices, {})).toEqual(rows);

      const transport = await backend.open();
      const readModels = createInMemoryReadModels();
      const projector = createProjector({ store, readModels, projections: [projection] });
      const own = codecOf(codec, 2);
      await using _subscription = await projector.subscribe(transport, { group: 'read-models', codec: own });
      const bus = busOf(await backend.open(), codec, 2);
      const published: (readonly [unknown, string | undefined])[] = [];
      await using _handler = await bus.subscribe(
        [events['invoice.issued']],
        async ({ data }, { headers }) => void published.push([data, headers[headerNames.eventVersion]]),
        { group: 'mail', startPosition: 'earliest' },
      );
      await using relay = createRelay({ store, transport, catalogues: [events], codec: own, source });
      await relay.start();
      await projector.caughtUp({ to: await store.head(), timeoutMs: 30_000 });
      expect(await readModels.find(invoices, {})).toEqual(rows);
      await until('three events', () => published.length >= 3);
      // The relay publishes what is stored, as it is stored; readers upcast. Streams have no order among them.
      expect(published).toHaveLength(3);
      expect(published).toEqual(
        expect.arrayContaining([
          [upcasted('i-1'), '1'],
          [issued2('i-1'), '2'],
          [upcasted('i-2'), '1'],
        ]),
      );
    },
  );
}
