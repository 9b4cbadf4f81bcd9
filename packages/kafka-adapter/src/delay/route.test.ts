import { describe, expect, it } from '@jest/globals';
import { delayTopics, readWaiting, routeOf } from './route.ts';

const record = { key: 'k', value: Buffer.from('v'), headers: { own: 'h' }, size: 100 };
const now = 1_700_000_000_000;

/** The topics that a record goes through, and when it arrives: each hop takes `hopMs`. */
function journey(delayMs: number, hopMs = 5): { readonly topics: readonly string[]; readonly at: number } {
  const due = now + delayMs;
  const topics: string[] = [];
  let at = now;
  for (
    let { topic, record: sent } = routeOf('orders', record, due, at);
    ;
    { topic, record: sent } = routeOf('orders', sent, due, at)
  ) {
    topics.push(topic);
    if (topic === 'orders') return { topics, at };
    const waiting = readWaiting(sent.headers);
    expect(waiting).toMatchObject({ to: 'orders', due, headers: { own: 'h' } });
    at = Math.max(at, waiting?.at ?? 0) + hopMs;
  }
}

describe('the way of a delayed record', () => {
  it('goes straight on when it is due', () => {
    expect(journey(0).topics).toEqual(['orders']);
    expect(journey(-5_000).topics).toEqual(['orders']);
  });

  it('waits the last second where it is', () => {
    expect(journey(1)).toEqual({ topics: ['bento-delay-1s', 'orders'], at: now + 6 });
    expect(journey(999).topics).toEqual(['bento-delay-1s', 'orders']);
    expect(journey(1_999).topics).toEqual(['bento-delay-1s', 'orders']);
    expect(journey(2_500).topics).toEqual(['bento-delay-2s', 'orders']);
  });

  it('takes the largest step that is not longer than what remains', () => {
    expect(journey(7_500).topics).toEqual(['bento-delay-4s', 'bento-delay-2s', 'bento-delay-1s', 'orders']);
    expect(journey(90_000).topics).toEqual([
      'bento-delay-64s',
      'bento-delay-16s',
      'bento-delay-8s',
      'bento-delay-1s',
      'orders',
    ]);
  });

  it.each([1, 500, 999, 1_000, 1_001, 3_999, 4_000, 12_345, 86_400_000, 31_536_000_000])(
    'arrives after %d ms, never before and at most a hop late',
    (delayMs) => {
      const { at, topics } = journey(delayMs);
      expect(at).toBeGreaterThanOrEqual(now + delayMs);
      expect(at).toBeLessThanOrEqual(now + delayMs + 5);
      expect(topics.slice(0, -1).every((topic) => delayTopics.includes(topic))).toBe(true);
    },
  );

  it('counts what its headers take', () => {
    expect(routeOf('orders', record, now + 5_000, now).record.size).toBeGreaterThan(record.size);
  });

  it.each([{}, { 'bento-to': 'orders' }, { 'bento-to': 'orders', 'bento-due': 'soon', 'bento-hop': '5' }])(
    'knows a record that is none of ours: %j',
    (headers) => expect(readWaiting(headers)).toBeUndefined(),
  );
});
