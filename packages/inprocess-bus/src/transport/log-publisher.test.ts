import { afterEach, describe, expect, it } from '@jest/globals';
import { at, ids, item, items } from '../../test/log-support.ts';
import { closeTransports, codeOf, create, gatekeeper, recorder, settled, until } from '../../test/support.ts';

afterEach(closeTransports);

describe('publishing a log', () => {
  it('delivers items with their position, and begins at the start for a group without progress', async () => {
    const transport = create();
    const seen = recorder();
    await transport.subscribe(['orders', 'payments'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders', 'payments'], head: at(9) });
    expect(publisher.resumeAfter).toBe('');
    await publisher.publish([item(1), item(2, 'payments'), item(3)], at(5));
    await settled();
    expect(
      seen.deliveries.map(({ topic, position, attempt }) => `${topic} ${position} #${attempt}`).toSorted(),
    ).toEqual(['orders 000001 #1', 'orders 000003 #1', 'payments 000002 #1']);
  });

  it('skips items that it has published already', async () => {
    const transport = create();
    const seen = recorder();
    await transport.subscribe(['orders'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    await publisher.publish(items(1, 3), at(4));
    await publisher.publish([item(2), item(3), item(4), item(5)], at(5));
    await settled();
    expect(seen.ids).toEqual(ids(1, 2, 3, 5));
  });

  it('fences the publisher that was opened before, also where it waits for room', async () => {
    const transport = create({ retention: 1 });
    const keeper = gatekeeper();
    await transport.subscribe(['orders'], keeper.handler, { group: 'g', drainMs: 0 });
    const first = await transport.openCheckpointed('log', { topics: ['orders'] });
    const waiting = codeOf(first.publish(items(1, 2_000), at(2_000)));
    await settled();
    const second = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(await waiting).toBe('FENCED');
    expect(await codeOf(first.publish([], at(3_000)))).toBe('FENCED');
    expect(second.resumeAfter).toBe('');
    await first.close();
    const other = await transport.openCheckpointed('other', { topics: ['orders'] });
    expect(await codeOf(other.publish([], at(1)))).toBe('no error');
  });

  it('waits until nobody holds the log when it is told to stand by', async () => {
    const transport = create();
    const first = await transport.openCheckpointed('log', { topics: ['orders'] });
    let waits = 0;
    const onStandby = (): void => void (waits += 1);
    const abort = new AbortController();
    const aborted = codeOf(transport.openCheckpointed('log', { topics: ['orders'], onStandby, signal: abort.signal }));
    const opening = transport.openCheckpointed('log', { topics: ['orders'], onStandby });
    const third = transport.openCheckpointed('log', { topics: ['orders'], onStandby });
    await first.publish(items(1, 5), at(5));
    abort.abort();
    expect(await aborted).toBe('ABORTED');
    await first.close();
    const second = await opening;
    expect(second.resumeAfter).toBe(at(5));
    await second.publish(items(6, 10), at(10));
    await second.close();
    expect((await third).resumeAfter).toBe(at(10));
    expect(waits).toBe(3);
  });

  it('goes on after a second opening without a gap and without a repetition', async () => {
    const transport = create({ retention: 10 });
    const keeper = gatekeeper();
    await transport.subscribe(['orders'], keeper.handler, { group: 'g', concurrency: 10 });
    const first = await transport.openCheckpointed('log', { topics: ['orders'] });
    const cut = codeOf(first.publish(items(1, 1_500), at(1_500)));
    await settled();
    const second = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(await cut).toBe('FENCED');
    const publishing = second.publish(items(1, 1_500), at(1_500));
    for (let place = 1; place <= 1_500; place++) {
      await until(() => keeper.started.length >= place, `start ${place}`);
      keeper.letGo(`e${place}`);
    }
    await publishing;
    await until(() => keeper.done.length === 1_500, 'all handled');
    expect(keeper.started).toEqual(items(1, 1_500).map(({ message: { id } }) => id));
  });

  it('waits for room as long as it takes, and ends with its signal, its close or that of the transport', async () => {
    for (const end of ['signal', 'close', 'transport'] as const) {
      const transport = create({ retention: 1 });
      await transport.subscribe(['orders'], gatekeeper().handler, { group: 'g', drainMs: 0 });
      const controller = new AbortController();
      const publisher = await transport.openCheckpointed('log', { topics: ['orders'], signal: controller.signal });
      const waiting = codeOf(publisher.publish(items(1, 2_000), at(2_000)));
      await settled();
      if (end === 'signal') controller.abort();
      else if (end === 'close') await publisher.close();
      else await transport.close();
      expect(await waiting).toBe(end === 'signal' ? 'ABORTED' : 'CLOSED');
      expect(await codeOf(publisher.publish([], at(3_000)))).toBe(end === 'signal' ? 'ABORTED' : 'CLOSED');
    }
  });

  it('does not open with a signal that has aborted, and fences nobody by it', async () => {
    const transport = create();
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(await codeOf(transport.openCheckpointed('log', { topics: ['orders'], signal: AbortSignal.abort() }))).toBe(
      'ABORTED',
    );
    expect(await codeOf(publisher.publish(items(1, 1), at(1)))).toBe('no error');
  });

  it('refuses items that do not ascend, of an unknown topic, or after `through`, and stores nothing of them', async () => {
    const transport = create();
    const seen = recorder();
    await transport.subscribe(['orders', 'else'], seen.handler, { group: 'g' });
    const publisher = await transport.openCheckpointed('log', { topics: ['orders'] });
    expect(await codeOf(publisher.publish([item(2), item(1)], at(2)))).toBe('CONFIGURATION');
    expect(await codeOf(publisher.publish([item(1), item(1)], at(2)))).toBe('CONFIGURATION');
    expect(await codeOf(publisher.publish([item(1), item(2, 'else')], at(2)))).toBe('CONFIGURATION');
    expect(await codeOf(publisher.publish([item(1), item(3)], at(2)))).toBe('CONFIGURATION');
    expect(await codeOf(publisher.publish([item(1), item(2, 'orders', { id: '' })], at(2)))).toBe('CONFIGURATION');
    await settled();
    expect(seen.ids).toEqual([]);
    await publisher.publish(items(1, 2), at(2));
    await settled();
    expect(seen.ids).toEqual(ids(1, 2));
  });
});
