import { BentoError, CodecError, PublishError } from '@bento-bus/core';
import { retry } from '@bento-bus/dlq';
import { describe, expect, it } from '@jest/globals';
import { build, deliveryOf, messageOf, record } from './support.ts';

const failing = (error: unknown) => async (): Promise<void> => {
  throw error;
};
const bad = new Error('bad');

describe('retry', () => {
  it('makes its topics before they are needed, and adds nothing to other topics', () => {
    const recorded = record();
    build(retry(), failing(bad), recorded);
    expect(recorded.consumed).toEqual(['orders-mail-RETRY']);
    expect(recorded.ensured).toEqual([
      ['orders-mail-RETRY', 'mail'],
      ['orders-mail-DLQ', 'bento-dead-letters'],
    ]);
    const again = record();
    build(retry(), failing(bad), again, { topic: 'orders-mail-RETRY' });
    expect(again.consumed).toEqual([]);
    const next = failing(bad);
    const other = record();
    expect(retry()(next, { topic: 'elsewhere', origin: 'orders', group: 'mail' } as never)).toBe(next);
    expect(other.exhausted).toBeUndefined();
  });

  it('fails in place until the tries are used up, then stores a dead letter and succeeds', async () => {
    const recorded = record();
    const handle = build(retry({ attempts: 3 }), failing(bad), recorded);
    await expect(handle(deliveryOf())).rejects.toBe(bad);
    await expect(handle(deliveryOf({ attempt: 2 }))).rejects.toBe(bad);
    recorded.heldMs = 700;
    await handle(deliveryOf({ attempt: 3 }));
    expect(recorded.published).toHaveLength(1);
    expect(recorded.published[0]).toMatchObject([
      'orders-mail-DLQ',
      {
        id: 'm-1',
        headers: {
          'x-a': '1',
          'bento-attempts': '3',
          'bento-first-failed': '9300',
          'bento-last-failed': '10000',
          'bento-origin-position': 'p-1',
        },
      },
    ]);
  });

  it('takes handlers that throw at once for those that reject', async () => {
    const recorded = record();
    const handle = build(
      retry({ attempts: 1 }),
      () => {
        throw bad;
      },
      recorded,
    );
    await handle(deliveryOf());
    expect(recorded.published).toHaveLength(1);
  });

  it('counts tries over all topics, and tells handlers', async () => {
    const recorded = record();
    const attempts: number[] = [];
    const handle = build(
      retry({ attempts: 2, delays: [1_000, 5_000] }),
      async ({ attempt }) => {
        attempts.push(attempt);
        throw bad;
      },
      recorded,
      { topic: 'orders-mail-RETRY' },
    );
    const headers = {
      'bento-attempts': '2',
      'bento-delays': '1',
      'bento-first-failed': '5',
      'bento-origin-topic': 'orders',
      'bento-origin-position': 'p-0',
      ce_deliverat: '77',
    };
    await handle(deliveryOf({ topic: 'orders-mail-RETRY', message: messageOf({ headers }) }));
    expect(attempts).toEqual([3]);
    expect(recorded.published[0]).toMatchObject([
      'orders-mail-RETRY',
      { headers: { 'bento-attempts': '3', 'bento-delays': '2', 'bento-first-failed': '5', ce_deliverat: '15000' } },
    ]);
  });

  it('believes no such header on the topic itself', async () => {
    const recorded = record();
    const handle = build(retry({ attempts: 2, delays: [1_000] }), failing(bad), recorded);
    const message = messageOf({ headers: { 'bento-attempts': '9', 'bento-delays': '9' } });
    await expect(handle(deliveryOf({ message }))).rejects.toBe(bad);
    await handle(deliveryOf({ message, attempt: 2 }));
    expect(recorded.published[0]).toMatchObject([
      'orders-mail-RETRY',
      { headers: { 'bento-attempts': '2', 'bento-delays': '1' } },
    ]);
  });

  it('lets pass what is no fault of the message', async () => {
    const recorded = record();
    const aborted = new BentoError('ABORTED', 'later', true);
    const handle = build(retry({ attempts: 1 }), failing(aborted), recorded);
    await expect(handle(deliveryOf({ attempt: 9 }))).rejects.toBe(aborted);
    await expect(recorded.exhausted?.(deliveryOf(), aborted)).rejects.toBe(aborted);
    const draining = build(retry({ attempts: 1 }), failing(bad), recorded);
    await expect(draining(deliveryOf(), AbortSignal.abort())).rejects.toBe(bad);
    expect(recorded.published).toEqual([]);
  });

  it('keeps the message while its copy cannot be stored, and does not call the handler for it again', async () => {
    const recorded = record();
    let calls = 0;
    const handle = build(
      retry({ attempts: 1, backoff: () => 7 }),
      async () => {
        calls += 1;
        throw bad;
      },
      recorded,
    );
    const down = new PublishError('the broker is away', [0], true);
    recorded.refusals.push(down, down, down);
    expect(recorded.wait?.(deliveryOf(), 1, bad)).toBe(7);
    await expect(handle(deliveryOf())).rejects.toBe(down);
    // The transport's own wait: the server is away, not the handler.
    expect(recorded.wait?.(deliveryOf(), 1, down)).toBeUndefined();
    await expect(handle(deliveryOf({ attempt: 2 }))).rejects.toBe(down);
    await expect(recorded.exhausted?.(deliveryOf({ attempt: 2 }), down)).rejects.toBe(down);
    await handle(deliveryOf({ attempt: 3 }));
    expect(calls).toBe(1);
    expect(recorded.published[0]?.[1].headers).toMatchObject({ 'bento-attempts': '1', 'bento-error': 'bad' });
    await handle(deliveryOf());
    expect(calls).toBe(2);
  });

  it('says less where the dead letter would be too large', async () => {
    const recorded = record();
    recorded.refusals.push(new BentoError('OVERSIZE', 'too large'));
    await build(retry({ attempts: 1 }), failing(bad), recorded)(deliveryOf());
    const headers = recorded.published[0]?.[1].headers;
    expect(headers).toMatchObject({ 'bento-reason': 'exhausted', 'bento-error-code': 'Error' });
    expect(headers).not.toHaveProperty('bento-error-stack');
  });

  it('gives away what its lane holds no longer: to the next delay, or, where it cannot succeed, to the dead letters', async () => {
    const recorded = record();
    build(retry({ attempts: 9, delays: [100] }), failing(bad), recorded);
    await recorded.exhausted?.(deliveryOf({ attempt: 4 }), bad);
    await recorded.exhausted?.(deliveryOf({ attempt: 4 }), new BentoError('HANDLER', 'the process died'));
    expect(recorded.published.map(([topic]) => topic)).toEqual(['orders-mail-RETRY', 'orders-mail-DLQ']);
    expect(recorded.published[1]?.[1].headers['bento-reason']).toBe('not-retryable');
    build(retry({ attempts: 9 }), failing(bad), recorded);
    await recorded.exhausted?.(deliveryOf(), bad);
    expect(recorded.published[2]?.[1].headers['bento-reason']).toBe('lane-limit');
  });

  it('leaves it in its lane where dead letters are not wanted', async () => {
    const recorded = record();
    const handle = build(retry({ attempts: 1, deadLetter: false }), failing(bad), recorded);
    await expect(handle(deliveryOf())).rejects.toBe(bad);
    expect(recorded.exhausted).toBeUndefined();
    expect(recorded.ensured.map(([topic]) => topic)).toEqual(['orders-mail-RETRY']);
  });

  it('follows a rule of its user', async () => {
    const recorded = record();
    const handle = build(retry({ retryable: (error) => error !== bad }), failing(bad), recorded);
    await handle(deliveryOf());
    expect(recorded.published).toHaveLength(1);
    const codec = new CodecError('x', 'no');
    await expect(build(retry({ retryable: () => true }), failing(codec), recorded)(deliveryOf())).rejects.toBe(codec);
  });
});
