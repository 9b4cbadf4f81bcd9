import assert from 'node:assert/strict';
import type { IdempotencyStore } from '@bento-bus/core';
import { withDeadline } from '@bento-bus/core/adapter';
import { uniqueName } from '../names.ts';
import { cleanupLimit, type Scenario, unmetNeeds } from '../scenario.ts';
import { Watch } from '../watch.ts';
import {
  type IdempotencyStoreHarness,
  type IdempotencyStoreNeed,
  type IdempotencyStoreWish,
  idempotencyStoreNeeds,
} from './harness.ts';

/** How long the stores of the kit remember. Milliseconds; long for a server, whose own time goes on. */
export const ttlMs = 3_600_000;

/** What a scenario works with. Its scopes are its own, so that a store may be used by many. */
export class IdempotencyContext extends Watch {
  readonly harness: IdempotencyStoreHarness;
  readonly scope: string = uniqueName('conformance');
  /** The stores' time. */
  now: number = Date.now();
  #first: IdempotencyStore | undefined;
  readonly #stores: IdempotencyStore[] = [];

  constructor(harness: IdempotencyStoreHarness) {
    super(harness);
    this.harness = harness;
  }

  async begin(): Promise<void> {
    this.#first = await this.#opened(this.harness.createStore(this.#wish));
  }

  async end(): Promise<void> {
    // How closing goes is judged by the scenarios about closing only.
    const closed = Promise.allSettled(this.#stores.map(async (store) => store.close()));
    await withDeadline(closed, cleanupLimit(this.harness), () => {});
  }

  get store(): IdempotencyStore {
    assert.ok(this.#first);
    return this.#first;
  }

  async second(): Promise<IdempotencyStore> {
    assert.ok(this.harness.createSecond);
    return this.#opened(this.harness.createSecond(this.store, this.#wish));
  }

  /** Which of these the store knows, in the order given. */
  async known(
    ids: readonly string[],
    { store = this.store, scope = this.scope }: { readonly store?: IdempotencyStore; readonly scope?: string } = {},
  ): Promise<string[]> {
    const handled = await store.handled(scope, ids);
    assert.ok(
      [...handled].every((id) => ids.includes(id)),
      'a store tells only of ids that it was asked for',
    );
    return ids.filter((id) => handled.has(id));
  }

  get #wish(): IdempotencyStoreWish {
    return { ttlMs, now: () => this.now };
  }

  async #opened(opening: Promise<IdempotencyStore>): Promise<IdempotencyStore> {
    const store = await this.within('opening a store', opening);
    this.#stores.push(store);
    return store;
  }
}

/** A promise of the idempotency store port. */
export type IdempotencyStoreScenario = Scenario<IdempotencyStoreHarness>;

/** Makes a scenario; `needs` are what the harness must offer. */
export const scenario = (
  name: string,
  needs: readonly IdempotencyStoreNeed[],
  body: (context: IdempotencyContext) => Promise<void>,
): IdempotencyStoreScenario => ({
  name,
  unmet: (harness) => unmetNeeds(idempotencyStoreNeeds, needs, harness),
  run: async (harness) => {
    const context = new IdempotencyContext(harness);
    try {
      await context.begin();
      await context.whole(body(context));
    } finally {
      await context.end();
    }
  },
});
