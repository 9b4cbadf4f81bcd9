import type { OrderAppConfig } from '../config.ts';

/** Where traces go; undefined: nowhere. */
export function tracesUrl(config: OrderAppConfig): string | undefined {
  const { otlpEndpoint, otlpTracesEndpoint, otelDisabled } = config;
  if (otelDisabled) return undefined;
  if (otlpTracesEndpoint !== undefined) return otlpTracesEndpoint;
  if (otlpEndpoint === undefined) return undefined;
  const url = new URL(otlpEndpoint);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url.href;
}
