import { createOperations, deleteLeftTails, newToken, type Operations, serveOperations } from '@bento-bus/admin';
import { diagnoseClickHouse } from '@bento-bus/clickhouse-store';
import { type Closeable, isBentoError, type MessagingAdmin } from '@bento-bus/core';
import { closeAll, closeOnce } from '@bento-bus/core/adapter';
import * as dlq from '@bento-bus/dlq';
import { failedEvents } from '@bento-bus/eventsourcing';
import { createHealth, createLagMonitor, type Health, type LagMonitor, metricNames } from '@bento-bus/observability';
import { createConsoleLogger } from '@bento-bus/runtime';
import { openOrderApp } from '../app.ts';
import { shippingNotifications } from '../application/shipping-notifications.ts';
import { adminOf } from '../backends.ts';
import { creditNoteEvents, orderEvents } from '../domain/events.ts';
import type { Shop } from '../http/shop.ts';
import type { OrderApp, OrderAppOptions } from '../order-app.ts';
import { projections } from '../read-model/projections.ts';
import { serverUrl } from '../store.ts';
import { countDeadLetters } from './dead-letters.ts';
import { createGroupWatch } from './group-watch.ts';
import { createInstruments } from './instruments.ts';
import { notificationPolicy, triesOf } from './notification-policy.ts';
import { createOrderFeed, type OrderFeed } from './order-feed.ts';
import { tryParkedAgain } from './parked-again.ts';
import { watchRelay } from './relay-state.ts';

/** A shop with all that is served of it. Closing it closes the application too. */
export interface OpenShop extends Shop, Closeable {
  readonly health: Health;
  /** What a request under /bento/ must show. */
  readonly token: string;
}

export interface OpenShopOptions extends Omit<OrderAppOptions, 'observers' | 'notificationPolicy'> {
  /** Waits before each delayed try of a notification. Milliseconds. @default 1 s, then 5 s */
  readonly notificationDelays?: readonly number[];
  /** Between two looks at groups and failed messages. Milliseconds. @default 2_000 */
  readonly lookMs?: number;
  /** How long the shop says that it is not ready before it closes. Milliseconds. @default 0 */
  readonly drainDelayMs?: number;
}

const topicOf = (events: typeof orderEvents | typeof creditNoteEvents): string => Object.values(events)[0]?.topic ?? '';
const orderTopic = topicOf(orderEvents);
/** The groups of the application; more messages than `limit` that wait make it not ready. */
const groups = [
  { topic: orderTopic, group: 'read-models' },
  { topic: topicOf(creditNoteEvents), group: 'read-models' },
  { topic: orderTopic, group: shippingNotifications },
];
const lagLimit = 10_000;

/** Opens the application and all that watches and operates it. */
export async function openShop(options: OpenShopOptions): Promise<OpenShop> {
  const { lookMs = 2_000, drainDelayMs = 0, notificationDelays } = options;
  const config = { ...options.config, logLevel: options.config.logLevel ?? 'warn' };
  const logger = createConsoleLogger({ level: config.logLevel });
  const late: { lag?: LagMonitor; feed?: OrderFeed } = {};
  const instruments = createInstruments({
    logger,
    lag: () => late.lag?.current() ?? [],
    relayed: () => late.feed?.wake(),
  });
  const { history, metrics, registry, tracing, watchdog, observers } = instruments;
  const closing: (() => Promise<void>)[] = [];
  const close = closeOnce(() => closeAll(closing));
  try {
    const policy = notificationPolicy(notificationDelays);
    const app = await openOrderApp({ ...options, config, observers, notificationPolicy: policy });
    closing.push(() => app.close());
    const { clickhouse, parking, relay, transport } = app.parts;
    const admin = await adminOf(config, transport);
    closing.push(() => admin.close());
    if (transport.capabilities.durable) {
      const tidied = deleteLeftTails(admin, [...new Set(groups.map(({ topic }) => topic))], logger);
      closing.push(() => tidied);
    } else {
      const where = { topic: orderTopic, group: shippingNotifications };
      const tries = triesOf(notificationDelays);
      const again = tryParkedAgain({ parking, publisher: transport, ...where, tries, logger });
      closing.push(() => again.close());
    }
    const operations = operationsOf(app, admin, options);
    const relayState = watchRelay(relay, clickhouse.eventStore);
    const lag = (late.lag = createLagMonitor({ admin, groups, everyMs: lookMs, limit: lagLimit, metrics, logger }));
    closing.push(() => lag.close());
    const feed = (late.feed = createOrderFeed(clickhouse.eventStore, clickhouse.readModels, logger));
    closing.push(() => feed.close());
    const deadLetters = countDeadLetters({ operations, metrics, everyMs: lookMs, logger });
    closing.push(() => deadLetters.close());
    const watch = createGroupWatch({ backend: transport.name, lag, watchdog, deadLetters, everyMs: lookMs });
    closing.push(() => watch.close());

    metrics.gauge(metricNames.relayBehind, 'Age of the oldest event that is not published.', [], async () => [
      { labels: {}, value: await relayState.behind() },
    ]);
    const health = createHealth({
      checks: [
        { name: 'store', check: async () => void (await clickhouse.eventStore.head()) },
        { name: 'broker', check: () => isThere(admin) },
        { name: 'relay', check: () => relayState.check() },
      ],
      lag,
      watchdog,
      drainDelayMs,
      metrics,
      logger,
    });
    const token = newToken();
    return {
      app,
      operations,
      groups: watch,
      feed,
      history,
      health,
      metrics: registry,
      bento: serveOperations(operations, { token }),
      token,
      traced: ({ method, route, headers }, work) =>
        tracing.span(
          `${method} ${route}`,
          { kind: 'server', headers, attributes: { 'http.request.method': method, 'http.route': route } },
          (span) => work((status) => void span.setAttribute('http.response.status_code', status)),
        ),
      logger,
      ...close,
    };
  } catch (error) {
    await close.close();
    throw error;
  }
}

/** The topic may be yet to come. */
async function isThere(admin: MessagingAdmin): Promise<void> {
  try {
    await admin.describeTopic(orderTopic);
  } catch (error) {
    if (!isBentoError(error, 'UNKNOWN_TOPIC')) throw error;
  }
}

function operationsOf({ parts }: OrderApp, admin: MessagingAdmin, { config, dataDir }: OpenShopOptions): Operations {
  const { clickhouse, parking, projector, reader, relay, transport } = parts;
  return createOperations({
    admin,
    transport,
    reader,
    dlq,
    ...(!transport.capabilities.durable && { parking }),
    places: [{ topic: orderTopic, group: shippingNotifications }],
    application: '/order-app',
    store: clickhouse.eventStore,
    storeName: clickhouse.embedded
      ? `embedded ${dataDir}`
      : `${serverUrl(config.clickhouseHost ?? '', config.clickhousePort).replace(/\/$/, '')}/${clickhouse.database}`,
    relay,
    projections: {
      names: projections.map(({ name }) => name),
      failed: (projection) =>
        clickhouse.readModels.find(failedEvents, { where: { projection, state: 'failed' }, limit: 1_000 }),
      rebuild: (name, given) => projector.rebuild(name, given),
    },
    diagnose: [() => diagnoseClickHouse(clickhouse)],
  });
}
