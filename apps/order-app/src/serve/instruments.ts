import type { CommandBus, Logger } from '@bento-bus/core';
import type { RelayProgress } from '@bento-bus/eventsourcing';
import {
  createMetrics,
  createTracing,
  createTrail,
  createWatchdog,
  exportToPrometheus,
  type GroupLag,
  instrument,
  type Metrics,
  metricNames,
  type Tracing,
  type Watchdog,
} from '@bento-bus/observability';
import * as otel from '@opentelemetry/api';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Observers } from '../order-app.ts';
import { createMessageSteps } from './message-steps.ts';
import { createOrderHistory, type OrderHistory } from './order-history.ts';

/** What watches a shop that is served. */
export interface Instruments {
  readonly observers: Observers;
  readonly tracing: Tracing;
  readonly metrics: Metrics;
  readonly registry: Registry;
  readonly watchdog: Watchdog;
  readonly history: OrderHistory;
}

export interface InstrumentOptions {
  /** As of the last look: the monitor comes later, since it asks the transport that is watched here. */
  readonly lag: () => readonly GroupLag[];
  readonly relayed: () => void;
  readonly logger: Logger;
}

/** Metrics for Prometheus, traces for whatever SDK the process has set up, and the trail of messages. */
export function createInstruments({ lag, relayed, logger }: InstrumentOptions): Instruments {
  const metrics = createMetrics({ logger });
  const tracing = createTracing({ api: otel, name: '@bento-bus/order-app' });
  const watchdog = createWatchdog({ lag: { current: lag }, metrics, logger });
  const trail = createTrail();
  const messages = createMessageSteps(trail);
  const history = createOrderHistory({
    messageSteps: (id) => messages.of(id),
    currentTraceId: () => tracing.currentTraceId(),
  });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  exportToPrometheus(metrics, registry);
  const count = relayCounter(metrics);
  return {
    tracing,
    metrics,
    registry,
    watchdog,
    history,
    observers: {
      transport: (transport) => instrument(transport, [tracing.transport, metrics, watchdog, trail], { logger }),
      commandBus: (bus) => tracing.commandBus(counted(metrics, history.commandBus(bus))),
      eventStore: (store) => tracing.eventStore(store),
      relayed: (progress) => {
        count(progress);
        relayed();
      },
    },
  };
}

function relayCounter(metrics: Metrics): (progress: RelayProgress) => void {
  const relayed = metrics.counter(metricNames.relayed, 'Events that the relay has published or passed over.', [
    'outcome',
  ]);
  const published = relayed.cell({ outcome: 'published' });
  const passedOver = relayed.cell({ outcome: 'passed-over' });
  return (progress) => {
    published.value = progress.published;
    passedOver.value = progress.passedOver;
  };
}

/** The same bus; its commands are counted. */
function counted(metrics: Metrics, bus: CommandBus): CommandBus {
  const commands = metrics.counter(metricNames.commands, 'Commands executed.', ['command', 'outcome']);
  const duration = metrics.histogram(metricNames.commandDuration, 'How long commands took.', ['command']);
  return {
    register: (command, handler) => bus.register(command, handler),
    async execute(command) {
      const { name } = command.constructor;
      const began = performance.now();
      const done = (outcome: 'ok' | 'failed'): void => {
        commands.add({ command: name, outcome });
        duration.record({ command: name }, (performance.now() - began) / 1_000);
      };
      try {
        const result = await bus.execute(command);
        done('ok');
        return result;
      } catch (error) {
        done('failed');
        throw error;
      }
    },
  };
}
