import type { Logger } from '@bento-bus/core';
import { createTracing, instrument } from '@bento-bus/observability';
import * as otel from '@opentelemetry/api';
import type { Observers } from '../order-app.ts';

/** Spans of commands, of the event store and of messages, for whatever SDK the process has set up. */
export function createSpanObservers(logger: Logger): Observers {
  const tracing = createTracing({ api: otel, name: '@bento-bus/order-app' });
  return {
    transport: (transport) => instrument(transport, [tracing.transport], { logger }),
    commandBus: (bus) => tracing.commandBus(bus),
    eventStore: (store) => tracing.eventStore(store),
    relayed: () => {},
  };
}
