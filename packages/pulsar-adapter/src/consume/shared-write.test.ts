import { type Deferred, deferred } from '@bento-bus/core/adapter';
import { expect, it } from '@jest/globals';
import { createSharedWrite } from './shared-write.ts';

it('lets calls that come during a write share the next one', async () => {
  const writes: Deferred<void>[] = [];
  const write = createSharedWrite(() => {
    const started = deferred();
    writes.push(started);
    return started.promise;
  });
  const first = write();
  const shared = [write(), write(), write()];
  expect(writes.length).toBe(1);
  writes[0]?.reject(new Error('lost'));
  await expect(first).rejects.toThrow('lost');
  // A write that failed does not take the next one with it.
  await Promise.resolve();
  await Promise.resolve();
  expect(writes.length).toBe(2);
  writes[1]?.resolve();
  await Promise.all(shared);
  expect(writes.length).toBe(2);
});
