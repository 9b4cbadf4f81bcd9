import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '@bento-bus/core';
import { afterEach, expect, it } from '@jest/globals';
import { context, diag, propagation, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { Collector } from '../../test/collector.ts';
import { startExporting } from './exporting.ts';

afterEach(() => {
  for (const api of [trace, context, propagation, diag]) api.disable();
});

/** A logger, and what it was told from level info up. */
function newLogger(): { readonly logger: Logger; readonly told: unknown[] } {
  const told: unknown[] = [];
  const tell =
    (level: string) =>
    (message: string, fields = {}): number =>
      told.push({ level, message, ...fields });
  return { told, logger: { debug: () => {}, info: tell('info'), warn: tell('warn'), error: tell('error') } };
}
const spans = (...names: readonly string[]): void => {
  for (const name of names) trace.getTracer('test').startSpan(name).end();
};

it('a collector that is away costs one line for all batches, and the end does not fail', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  process.env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'] = '1';
  const { logger, told } = newLogger();
  const url = `http://127.0.0.1:${port}/v1/traces`;
  const exporting = startExporting({ url, serviceName: undefined, logger });
  delete process.env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'];
  spans('one', 'two', 'three');
  await exporting.end();
  expect(told).toEqual([
    {
      level: 'warn',
      message: 'traces are lost: the collector does not take them',
      url,
      reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
    },
  ]);
});

it('the end loses nothing that a collector takes, in however many batches', async () => {
  const collector = await Collector.start();
  process.env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'] = '1';
  const { logger, told } = newLogger();
  const exporting = startExporting({ url: collector.url, serviceName: undefined, logger });
  delete process.env['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'];
  spans(...Array.from({ length: 100 }, (_, i) => `span ${i}`));
  await exporting.end();
  await collector.stop();
  expect({ requests: collector.requests.length, told }).toEqual({ requests: 100, told: [] });
});

it('an SDK that is there already stays, and gets what there is', async () => {
  const own = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(own)] }));
  const { logger, told } = newLogger();
  const exporting = startExporting({ url: 'http://127.0.0.1:9/v1/traces', serviceName: undefined, logger });
  spans('one');
  await exporting.end();
  expect(own.getFinishedSpans().map(({ name }) => name)).toEqual(['one']);
  expect(told).toEqual([
    { level: 'info', message: 'an OpenTelemetry SDK is set up already: traces go where it sends them' },
  ]);
});

it('what the SDK cannot use of the environment is told', async () => {
  process.env['OTEL_TRACES_SAMPLER'] = 'sometimes';
  const { logger, told } = newLogger();
  const exporting = startExporting({ url: 'http://127.0.0.1:9/v1/traces', serviceName: undefined, logger });
  delete process.env['OTEL_TRACES_SAMPLER'];
  await exporting.end();
  expect(told).toMatchObject([{ level: 'warn', reason: expect.stringContaining('"sometimes" invalid') }]);
});
