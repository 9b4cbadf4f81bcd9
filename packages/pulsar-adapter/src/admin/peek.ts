import { Buffer } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import type { PeekedMessage } from '@bento-bus/core';
import { readRecord } from '@bento-bus/core/adapter';
import { subscriptionPath } from '../admin.ts';
import type { TopicName } from '../names.ts';
import { contentOf } from '../publish/encode.ts';
import { readBatch, type Stored } from './batch.ts';
import type { AdminContext } from './context.ts';
import type { Part } from './groups.ts';

/** Requests at once to one partition. */
const atOnce = 8;

const headerOf = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[`x-pulsar-${name}`];
  return Array.isArray(value) ? value[0] : value;
};

/** `ledger:entry`, without the partition that may stand behind it. */
const entryOf = (headers: IncomingHttpHeaders): string =>
  (headerOf(headers, 'message-id') ?? '').split(':').slice(0, 2).join(':');

const isBatch = (headers: IncomingHttpHeaders): boolean => headerOf(headers, 'num-batch-message') !== undefined;

/** The entry that stands `place` (from 1) in what the subscription has not acknowledged. */
const requestEntry = async (
  { rest }: AdminContext,
  topic: TopicName,
  group: string,
  place: number,
): Promise<{ readonly headers: IncomingHttpHeaders; readonly body: Buffer } | undefined> => {
  const what = `look at messages of "${topic.full}"`;
  const path = `${subscriptionPath(topic, group)}/position/${place}`;
  const answer = await rest.request(what, 'GET', path, { fine: [404] });
  return answer.status === 404 ? undefined : answer;
};

/** Where the subscription goes on; undefined: at the end. */
export async function nextPosition(
  context: AdminContext,
  topic: TopicName,
  group: string,
): Promise<string | undefined> {
  const entry = await requestEntry(context, topic, group, 1);
  if (entry === undefined) return undefined;
  return isBatch(entry.headers) ? `${entryOf(entry.headers)}:0` : entryOf(entry.headers);
}

/** The next messages of one partition. Of a batch that is acknowledged in part, all. */
export async function peekPartition(
  context: AdminContext,
  name: string,
  { topic, partition }: Part,
  group: string,
  count: number,
): Promise<readonly PeekedMessage[]> {
  const found: PeekedMessage[] = [];
  for (let place = 1; ; place += atOnce) {
    const length = Math.min(atOnce, count - found.length);
    const places = Array.from({ length }, (_, at) => place + at);
    const entries = await Promise.all(places.map((at) => requestEntry(context, topic, group, at)));
    for (const entry of entries) {
      if (entry === undefined) return found;
      for (const stored of messagesOf(entry)) {
        const { position, key, publishTime } = stored;
        const record = {
          topic: name,
          key,
          timestamp: publishTime,
          position,
          ...contentOf({ ...stored, handle: undefined }),
        };
        found.push({ partition, position, message: readRecord(context.format, record) });
        if (found.length === count) return found;
      }
    }
  }
}

function messagesOf({
  headers,
  body,
}: {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}): readonly Stored[] {
  const position = entryOf(headers);
  const publishTime = Date.parse(headerOf(headers, 'publish-time') ?? '');
  if (isBatch(headers)) return readBatch(body, position, publishTime);
  return [{ position, publishTime, key: keyOf(headers), properties: propertiesOf(headers), body }];
}

const keyOf = (headers: IncomingHttpHeaders): string | undefined => {
  const key = headerOf(headers, 'partition-key');
  return key === undefined || headerOf(headers, 'partition-key-b64-encoded') !== 'true'
    ? key
    : Buffer.from(key, 'base64').toString();
};

/** Beyond Latin-1 the broker writes `?` into a header. */
function propertiesOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  try {
    return JSON.parse(headerOf(headers, 'property') ?? '{}') as Record<string, string>;
  } catch {
    return {};
  }
}
