import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { type OrderAppConfig, readConfig } from '../config.ts';
import { tracesUrl } from './traces-url.ts';

const reading = (): OrderAppConfig => readConfig(tmpdir());
const nothing = reading();
const urlOf = (config: Partial<OrderAppConfig>): string | undefined => tracesUrl({ ...nothing, ...config });

describe('where traces go', () => {
  it('is nowhere unless a collector is set', () => {
    expect(urlOf({})).toBeUndefined();
    expect(urlOf({ otlpEndpoint: 'http://here:4318', otelDisabled: true })).toBeUndefined();
    expect(urlOf({ otlpTracesEndpoint: 'http://here:4318/x', otelDisabled: true })).toBeUndefined();
  });

  it('is a setting that must be a URL of HTTP', () => {
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = 'collector:4318';
    try {
      expect(reading).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
      expect(reading).toThrow(
        'OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4318": wanted is a URL that begins with http:// or https://',
      );
    } finally {
      delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    }
  });

  it('is a path below the endpoint', () => {
    expect(urlOf({ otlpEndpoint: 'http://here:4318' })).toBe('http://here:4318/v1/traces');
    expect(urlOf({ otlpEndpoint: 'https://u:p@here/otlp/?key=1' })).toBe('https://u:p@here/otlp/v1/traces?key=1');
  });

  it('is the URL for traces as it stands, before the endpoint', () => {
    const otlpTracesEndpoint = 'http://there:4318/traces';
    expect(urlOf({ otlpEndpoint: 'http://here:4318', otlpTracesEndpoint })).toBe(otlpTracesEndpoint);
  });
});
