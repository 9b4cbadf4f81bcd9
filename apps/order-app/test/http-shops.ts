import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PlaceOrder } from '../src/application/commands.ts';
import type { Notifier, ShippingNotification } from '../src/application/shipping-notifications.ts';
import { chooseBackend } from '../src/backends.ts';
import { type OrderAppConfig, readConfig } from '../src/config.ts';
import type { OrderPlaced } from '../src/domain/events.ts';
import { committedOrder } from '../src/http/committed-order.ts';
import { type ServedShop, type ServeOptions, serve } from '../src/serve/serve.ts';
import { until } from './cli.ts';
import { Client } from './http-client.ts';

/** A notifier whose service can be away. */
class Outage implements Notifier {
  isAway = false;
  readonly told: ShippingNotification[] = [];

  async notify(notification: ShippingNotification): Promise<void> {
    if (this.isAway) throw new Error('the mail server is away');
    this.told.push(notification);
  }
}

/** A shop that is served in this process. */
export interface TestShop extends ServedShop {
  readonly client: Client;
  readonly outage: Outage;
  readonly dataDir: string;
  /** Places an order over HTTP, and sees that it is placed. */
  place(orderId: string): Promise<void>;
  /** The order after `pay`, `ship`, … over HTTP, or the problem. */
  act(orderId: string, action: string, body?: object): Promise<unknown>;
}

/** Serves shops in this process: one data directory, since the engine serves one a process, and a database each. */
export class Shops {
  readonly #served: ServedShop[] = [];
  #dataDir: string | undefined;

  async serve(config: Partial<OrderAppConfig> = {}, options: Partial<ServeOptions> = {}): Promise<TestShop> {
    const dataDir = (this.#dataDir ??= join(await mkdtemp(join(tmpdir(), 'order-app-http-')), 'data'));
    const outage = new Outage();
    const all: OrderAppConfig = {
      ...readConfig(tmpdir()),
      port: 0,
      logLevel: 'silent',
      clickhouseDatabase: `shop_${this.#served.length}`,
      ...config,
    };
    const served = await serve({
      config: all,
      runtime: chooseBackend(all),
      dataDir,
      notifier: outage,
      notificationDelays: [20],
      lookMs: 50,
      ...options,
    });
    this.#served.push(served);
    const client = await Client.of(served.url);
    return Object.assign(served, {
      client,
      outage,
      dataDir,
      async place(orderId: string) {
        const { status, json } = await client.post('/api/orders', { orderId, country: 'France', lines: someLines });
        const { orderId: placed, status: state } = json as Record<string, unknown>;
        assert.deepEqual({ status, placed, state }, { status: 201, placed: orderId, state: 'placed' });
      },
      act: async (orderId: string, action: string, body: object = {}): Promise<unknown> =>
        (await client.post(`/api/orders/${encodeURIComponent(orderId)}/${action}`, body)).json,
    });
  }

  async close(): Promise<void> {
    for (const served of this.#served) await served.close();
    if (this.#dataDir !== undefined) await rm(join(this.#dataDir, '..'), { recursive: true, force: true });
  }
}

/** What is placed where it does not matter. */
export const someLines = [{ sku: 'A1', description: 'MUG', quantity: 2, unitPrice: '1.25' }];

/** Asks over HTTP until the answer is true. */
export const eventually = (what: string, holds: () => boolean | Promise<boolean>): Promise<void> =>
  until(what, holds, 30_000, 40);

/** Orders of one line each, placed together and one millisecond apart; `then` is executed on each. Resolves when all can be read. */
export async function seed(
  { shop }: ServedShop,
  orderIds: readonly string[],
  content: Partial<OrderPlaced> = {},
  then: readonly ((orderId: string) => object)[] = [],
): Promise<void> {
  const { app } = shop;
  const now = Date.now();
  const order = (orderId: string, i: number): OrderPlaced => ({
    orderId,
    customerId: `customer-${orderId}`,
    country: 'France',
    lines: someLines,
    placedAt: now + i,
    ...content,
  });
  const place = async (orderId: string, i: number): Promise<void> => {
    await app.commands.execute(new PlaceOrder(order(orderId, i)));
    for (const command of then) await app.commands.execute(command(orderId));
  };
  await Promise.all(orderIds.map(place));
  await Promise.all(orderIds.map((orderId) => committedOrder(app, orderId)));
}
