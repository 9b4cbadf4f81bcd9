import type { Closeable } from '@bento-bus/core';
import { closeOnce } from '@bento-bus/core/adapter';
import { createConsoleLogger } from '@bento-bus/runtime';
import type { OrderAppConfig } from '../config.ts';
import type { OrderAppOptions } from '../order-app.ts';
import { tracesUrl } from './traces-url.ts';

/** What takes the traces of a process to a collector. Close it after all that makes spans: it hands over what there is. */
export interface Telemetry extends Closeable {
  /** What makes spans of an application that nothing else watches; empty where no collector is set. */
  observed(): Promise<Pick<OrderAppOptions, 'observers'>>;
}

/**
 * Sets up OpenTelemetry for the process where its settings name a collector, and loads nothing of it otherwise. An SDK that is set up
 * already, by the user's own `--import`, stays, and what there is goes where that one sends it. Make it before the application.
 */
export async function startTelemetry(config: OrderAppConfig): Promise<Telemetry> {
  const url = tracesUrl(config);
  if (url === undefined) return { observed: async () => ({}), ...closeOnce(async () => {}) };
  // Commands are silent otherwise; who sets a collector wants to hear that it gets nothing.
  const logger = createConsoleLogger({ level: config.logLevel ?? 'warn' });
  const { startExporting } = await import('./exporting.ts');
  const exporting = startExporting({ url, serviceName: config.serviceName, logger });
  return {
    async observed() {
      const { createSpanObservers } = await import('./span-observers.ts');
      return { observers: createSpanObservers(logger) };
    },
    ...closeOnce(() => exporting.end()),
  };
}
