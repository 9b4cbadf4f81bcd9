import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type {
  BatchHandler,
  BatchOptions,
  DeliveryHandler,
  Message,
  SubscribeOptions,
  Subscription,
  Transport,
} from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { Gate } from '../gate.ts';
import { uniqueName } from '../names.ts';
import { cleanupLimit, type Scenario, unmetNeeds } from '../scenario.ts';
import { seededRandom } from '../seeded-random.ts';
import { Watch } from '../watch.ts';
import { type TransportHarness, type TransportNeed, transportNeeds } from './harness.ts';
import type { Recorder } from './recorder.ts';

type Options = Partial<SubscribeOptions> & { readonly on?: Transport };

/** What a scenario works with. Clients are closed and gates opened when it has ended. */
export class TransportContext extends Watch {
  readonly harness: TransportHarness;
  readonly random: () => number;
  #first: Transport | undefined;
  readonly #transports: Transport[] = [];
  readonly #gates: Gate[] = [];
  readonly #ends: (() => Promise<void>)[] = [];

  constructor(harness: TransportHarness, limitMs?: number) {
    super(harness, limitMs);
    this.harness = harness;
    this.random = seededRandom(harness.seed ?? 1);
  }

  async begin(): Promise<void> {
    this.#first = await this.#create();
  }

  async end(): Promise<void> {
    for (const gate of this.#gates) gate.open();
    // How closing goes is judged by the scenarios about closing only.
    const closed = Promise.allSettled([
      ...this.#ends.map((end) => end()),
      ...this.#transports.map(async (transport) => transport.close()),
    ]);
    await withDeadline(closed, cleanupLimit(this.harness), () => {});
  }

  /** Runs `end` when the scenario has ended. */
  onEnd(end: () => Promise<void>): void {
    this.#ends.push(end);
  }

  /** The client that most scenarios work with. */
  get transport(): Transport {
    assert.ok(this.#first);
    return this.#first;
  }

  /** Another client of the same backend; the same one, where the backend is the client. */
  async client(): Promise<Transport> {
    return this.harness.clients === 'one' ? this.transport : this.#create();
  }

  /** Another client of the backend, as a tenant. */
  async tenant(name: string): Promise<Transport> {
    assert.ok(this.harness.createTenant);
    return this.#create(this.harness.createTenant(name));
  }

  async topic(): Promise<string> {
    const name = uniqueName('conformance');
    return this.harness.createTopic === undefined
      ? name
      : this.within('making a topic', this.harness.createTopic(name));
  }

  group(): string {
    return uniqueName('group');
  }

  gate(): Gate {
    const gate = new Gate();
    this.#gates.push(gate);
    return gate;
  }

  message(fields: Partial<Message> = {}): Message {
    const id = fields.id ?? randomUUID();
    return {
      id,
      type: 'conformance.test',
      source: '/conformance',
      time: Date.now(),
      headers: {},
      body: Buffer.from(id),
      ...fields,
    };
  }

  /** Messages with the keys `k0`, `k1`, … in turn. */
  messages(count: number, keys: number): Message[] {
    return Array.from({ length: count }, (_, index) => this.message({ key: `k${index % keys}` }));
  }

  subscribe(
    topics: string | readonly string[],
    handler: DeliveryHandler,
    options: Options = {},
  ): Promise<Subscription> {
    const { on = this.transport, ...rest } = options;
    return this.#watched(on.subscribe(listed(topics), handler, { group: this.group(), ...rest }));
  }

  subscribeBatch(
    topics: string | readonly string[],
    handler: BatchHandler,
    options: Options & BatchOptions,
  ): Promise<Subscription> {
    const { on = this.transport, ...rest } = options;
    return this.#watched(on.subscribeBatch(listed(topics), handler, { group: this.group(), ...rest }));
  }

  /**
   * Nothing but what it has may come to the recorder any more: shown by a message of each of these keys, published now and handled behind
   * whatever was still to come; where the transport keeps no order, also by `quietMs` without a call.
   */
  async assertNothingElse(topic: string, recorder: Recorder, keys: readonly string[] = ['k0']): Promise<void> {
    const before = recorder.calls.length;
    const last = keys.map((key) => this.message({ key }));
    await this.transport.publish(topic, last);
    await this.eventually('handling the last messages', () => recorder.hasAll(last));
    const nothingElse = (): boolean => recorder.calls.length === before + last.length;
    assert.ok(nothingElse(), `more deliveries than expected: ${idsAfter(recorder, before, last)}`);
    if (this.harness.capabilities.ordering === 'none') await this.quiet('no further delivery', nothingElse);
  }

  async #create(creating: Promise<Transport> = this.harness.createTransport()): Promise<Transport> {
    const transport = await this.within('creating a transport', creating);
    this.#transports.push(transport);
    return transport;
  }

  async #watched(subscribing: Promise<Subscription>): Promise<Subscription> {
    const subscription = await this.within('subscribing', subscribing);
    subscription.closed.catch((error: unknown) => this.fault(error));
    return subscription;
  }
}

const listed = (topics: string | readonly string[]): readonly string[] =>
  typeof topics === 'string' ? [topics] : topics;

const idsAfter = (recorder: Recorder, from: number, last: readonly Message[]): string =>
  recorder.calls
    .slice(from)
    .filter(({ id }) => last.every((message) => message.id !== id))
    .map(({ id, delivery }) => `${id} (attempt ${delivery.attempt})`)
    .join(', ');

/** A handler's work: some turns of the event loop, so that those of other keys come in between. */
export const someTurns = async ({ random }: TransportContext): Promise<void> => {
  for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await setImmediate();
};

/** A promise of the transport port. */
export type TransportScenario = Scenario<TransportHarness>;

/** Makes a scenario; `needs` are what the harness must declare. */
export const scenario = (
  name: string,
  needs: readonly TransportNeed[],
  body: (context: TransportContext) => Promise<void>,
  limitMs?: (harness: TransportHarness) => number,
): TransportScenario => ({
  name,
  unmet: (harness) => unmetNeeds(transportNeeds, needs, harness),
  ...(limitMs && { limitMs }),
  run: async (harness) => {
    const context = new TransportContext(harness, limitMs?.(harness));
    try {
      await context.begin();
      await context.whole(body(context));
    } finally {
      await context.end();
    }
  },
});
