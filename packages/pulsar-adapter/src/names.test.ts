import { describe, expect, it } from '@jest/globals';
import { besideTopic, checkName, Names, partitionTopic } from './names.ts';

describe('names of topics', () => {
  const names = new Names('shop', 'eu');

  it('stand in the namespace, unless they are full', () => {
    expect(names.topic('orders', 'read')).toEqual({
      full: 'persistent://shop/eu/orders',
      path: 'persistent/shop/eu/orders',
    });
    expect(names.topic('persistent://a/b/c', 'read').full).toBe('persistent://a/b/c');
  });

  it('are encoded for URLs', () => {
    const topic = names.topic('größe 50%', 'read');
    expect(topic.path).toBe('persistent/shop/eu/gr%C3%B6%C3%9Fe%2050%25');
    expect(besideTopic(topic, 'a b').path).toBe(`${topic.path}-a%20b`);
    expect(partitionTopic(topic, 3).full).toBe('persistent://shop/eu/größe 50%-partition-3');
  });

  it.each(['', ' ', 'a/b', 'persistent://a/b', 'non-persistent://a/b/c', 'a\nb', '\uD800'])('refuses %j', (name) => {
    expect(() => names.topic(name, 'read')).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }));
  });

  it('has no groups with a slash', () => {
    expect(() => checkName('a/b', 'group', 'subscribe')).toThrow(/has a slash/);
    expect(() => checkName('a b', 'group', 'subscribe')).not.toThrow();
  });
});
