import type { Logger } from '@bento-bus/core';
import { expect, it } from '@jest/globals';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { reasonOf, TellingExporter } from './telling-exporter.ts';

const quiet = (): void => {};

it('warns once for each time that the collector is away, and hands on every result', async () => {
  const told: unknown[] = [];
  const logger: Logger = { debug: quiet, info: quiet, warn: (_, fields) => told.push(fields), error: quiet };
  const results: ExportResult[] = [];
  let result: ExportResult = { code: ExportResultCode.FAILED, error: new Error('connect ECONNREFUSED') };
  const exporter = new TellingExporter(
    { export: (_, done) => done(result), shutdown: async () => {} },
    'http://user:secret@collector:4318/v1/traces?key=secret',
    logger,
  );
  const taken: ExportResult = { code: ExportResultCode.SUCCESS };
  const run = (next: ExportResult): void => {
    result = next;
    exporter.export([], (given) => results.push(given));
  };
  const away = result;
  for (const next of [away, away, taken, away]) run(next);
  const line = { url: 'http://collector:4318/v1/traces', reason: 'connect ECONNREFUSED' };
  expect(told).toEqual([line, line]);
  expect(results).toEqual([away, away, taken, away]);
});

it('says why in one line', () => {
  const refused = Object.assign(new AggregateError([new Error('::1'), new Error('127.0.0.1')]), {
    code: 'ECONNREFUSED',
  });
  expect(reasonOf(refused)).toBe('ECONNREFUSED');
  expect(reasonOf(Object.assign(new Error('Not Found'), { code: 404 }))).toBe(
    'it answered with status 404 (Not Found)',
  );
  expect(reasonOf(new Error('Request timed out'))).toBe('Request timed out');
  expect(reasonOf(undefined)).toBe('unknown');
});
