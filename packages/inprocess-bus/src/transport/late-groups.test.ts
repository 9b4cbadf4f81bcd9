import { afterEach, describe, expect, it } from '@jest/globals';
import { at, ids, items } from '../../test/log-support.ts';
import { closeTransports, codeOf, create, recorder, settled } from '../../test/support.ts';

afterEach(closeTransports);

describe('groups that come late', () => {
  it('get what the topic still holds', async () => {
    const transport = create();
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 3), at(3));
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    await publisher.publish(items(4, 4), at(4));
    await settled();
    expect(seen.ids).toEqual(ids(1, 2, 3, 4));
  });

  it('are refused when the topic holds it no longer, and told to subscribe before', async () => {
    const transport = create({ retention: 2 });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 3), at(3));
    const { handler } = recorder();
    await expect(transport.subscribe(['orders'], handler, { group: 'g' })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining('Subscribe before the relay is started'),
    });
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'new', startPosition: 'latest' });
    await publisher.publish(items(4, 4), at(4));
    await settled();
    expect(seen.ids).toEqual(ids(4));
  });

  it('get everything, each item once, when the log is opened again', async () => {
    const transport = create({ retention: 2 });
    const early = recorder();
    await transport.subscribe(['orders'], early.handler, { group: 'early' });
    const first = await transport.openCheckpointed('log', { topics: ['orders'] });
    await first.publish(items(1, 3), at(3));
    await first.publish(items(4, 5), at(5));
    await settled();
    await first.close();
    const late = recorder();
    await transport.subscribe(['orders'], late.handler, { group: 'late' });
    await settled();
    expect(late.ids).toEqual([]);
    const second = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(second.resumeAfter).toBe('');
    await second.publish(items(1, 7), at(7));
    await settled();
    expect(late.ids).toEqual(ids(1, 2, 3, 4, 5, 6, 7));
    expect(early.ids).toEqual(ids(1, 2, 3, 4, 5, 6, 7));
  });

  it('are refused too when they left and the topic has dropped what they had yet to read', async () => {
    const transport = create({ retention: 2 });
    const first = recorder();
    const subscription = await transport.subscribe(['orders'], first.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 1), at(1));
    await settled();
    await subscription.close();
    await publisher.publish(items(2, 5), at(5));
    expect(await codeOf(transport.subscribe(['orders'], first.handler, { group: 'g' }))).toBe('CONFIGURATION');
    await publisher.close();
    await transport.subscribe(['orders'], first.handler, { group: 'g' });
    const second = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(second.resumeAfter).toBe(at(1));
    await second.publish(items(2, 6), at(6));
    await settled();
    expect(first.ids).toEqual(ids(1, 2, 3, 4, 5, 6));
  });

  it('are served from memory when they left and nothing was dropped', async () => {
    const transport = create();
    const seen = recorder();
    const subscription = await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 1), at(1));
    await settled();
    await subscription.close();
    await publisher.publish(items(2, 5), at(9));
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    await settled();
    expect(seen.ids).toEqual(ids(1, 2, 3, 4, 5));
  });
});
