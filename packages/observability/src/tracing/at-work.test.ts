import { describe, expect, it } from '@jest/globals';
import { SpansAtWork } from './at-work.ts';
import type { Span } from './otel.ts';

const span: Span = {
  spanContext: () => ({ traceId: '1', spanId: '1', traceFlags: 1 }),
  setAttribute: () => {},
  setStatus: () => {},
  recordException: () => {},
  isRecording: () => true,
  end: () => {},
};

describe('Spans at work', () => {
  it('are found by what they handed on, until they are removed', () => {
    const spans = new SpansAtWork();
    expect(spans.isEmpty).toBe(true);
    const headers = { traceparent: 'a' };
    const atWork = spans.add(headers, {}, span, undefined);
    expect(spans.of({ traceparent: 'a' })).toBe(atWork);
    expect(spans.of({ traceparent: 'b' })).toBeUndefined();
    expect(spans.of({})).toBeUndefined();
    spans.remove(headers);
    expect(spans.isEmpty).toBe(true);
  });

  it('are not those that handed on what the message came with: a propagator that writes nothing', () => {
    const spans = new SpansAtWork();
    expect(spans.add({ traceparent: 'a' }, { traceparent: 'a' }, span, undefined)).toBeUndefined();
    expect(spans.add({}, {}, span, undefined)).toBeUndefined();
    expect(spans.isEmpty).toBe(true);
  });

  it('are at most ten thousand, and then the oldest are forgotten: handlings that never end', () => {
    const spans = new SpansAtWork();
    for (let index = 0; index <= 10_000; index++) spans.add({ traceparent: `${index}` }, {}, span, undefined);
    expect(spans.of({ traceparent: '0' })).toBeUndefined();
    expect(spans.of({ traceparent: '1' })).toBeDefined();
    expect(spans.of({ traceparent: '10000' })).toBeDefined();
  });
});
