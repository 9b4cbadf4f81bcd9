import { setTimeout } from 'node:timers/promises';
import { BentoError } from '@bento-bus/core';
import type { Admin } from '../admin.ts';
import type { TopicName } from '../names.ts';

const pollMs = 50;

/**
 * What exactly-once needs of a topic: the broker drops what a producer sends twice, and keeps messages long enough for a relay that starts
 * again to find what it has stored. Set where it is not so; rejects with what is missing where that is not allowed.
 */
export async function prepareTopic(admin: Admin, topic: TopicName, minutes: number, timeoutMs: number): Promise<void> {
  await Promise.all([deduplicate(admin, topic, timeoutMs), retain(admin, topic, { minutes, megabytes: -1 })]);
}

async function deduplicate(admin: Admin, topic: TopicName, timeoutMs: number): Promise<void> {
  if (await admin.deduplicates(topic)) return;
  await admin.enableDeduplication(topic);
  // Policies of topics travel by a topic themselves.
  for (const end = performance.now() + timeoutMs; !(await admin.deduplicates(topic)); await setTimeout(pollMs))
    if (performance.now() > end)
      throw new BentoError(
        'CONFIGURATION',
        `pulsar-adapter: cannot publish a log to "${topic.full}": deduplication was set on it and is not applied after ${timeoutMs} ms. Set it on the namespace.`,
      );
}

/** Keeps messages for `minutes` at least (-1: for good), up to `megabytes` (-1: any number), unless they are kept longer already. */
export async function retain(
  admin: Admin,
  topic: TopicName,
  { minutes, megabytes }: { minutes: number; megabytes: number },
): Promise<void> {
  const { retentionTimeInMinutes: time, retentionSizeInMB: size } = await admin.retention(topic);
  const longEnough = time < 0 || (minutes >= 0 && time >= minutes);
  if (longEnough && size !== 0) return;
  await admin.setRetention(topic, {
    retentionTimeInMinutes: longEnough ? time : minutes,
    retentionSizeInMB: size > 0 ? Math.max(size, megabytes) : megabytes,
  });
}
