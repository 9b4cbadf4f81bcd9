import { readFile } from 'node:fs/promises';
import { type AsyncApiDocument, asyncApi, documentChanges } from '@bento-bus/codecs/documents';
import { defineEvents } from '@bento-bus/core';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { orderDocument } from './documents.ts';
import { creditNoteEvents, orderEvents } from './domain/events.ts';

const howToUpdate =
  'After a change that is meant, run: npm run -w @bento-bus/order-app asyncapi (with -- --accept for one that breaks).';

/** What is wrong with the snapshot, given the document of today; none when it is of today. */
function faultsOf(snapshot: AsyncApiDocument, today: AsyncApiDocument): readonly string[] {
  const changes = documentChanges(snapshot, today);
  if (changes.length > 0) return [...changes, howToUpdate];
  const [kept, now] = [snapshot, today].map((document) => JSON.stringify(document));
  return kept === now ? [] : ['apps/order-app/asyncapi.json is stale', howToUpdate];
}

describe('the snapshot of the catalogue, asyncapi.json', () => {
  let snapshot: AsyncApiDocument;
  beforeAll(async () => {
    const file = new URL('../asyncapi.json', import.meta.url);
    snapshot = JSON.parse(await readFile(file, 'utf8')) as AsyncApiDocument;
  });

  it('is of today, and nothing of it was broken', () => {
    expect(faultsOf(snapshot, orderDocument())).toEqual([]);
  });

  it('fails when a field is removed, and says which', () => {
    const { 'order.shipped': shipped, ...others } = orderEvents;
    const { tracking: _, ...fields } = (shipped.schema as unknown as z.ZodObject<{ tracking: z.ZodString }>).shape;
    const without = defineEvents({ topic: 'orders' }, { 'order.shipped': { version: 1, schema: z.object(fields) } });
    const { info, servers = {} } = orderDocument();
    const today = asyncApi([others, without, creditNoteEvents], { ...info, servers, pulsar: { namespace: 'default' } });
    expect(faultsOf(snapshot, today)).toEqual([
      '"order.shipped" of version 1: the field tracking is removed',
      howToUpdate,
    ]);
  });

  it('fails when it is stale, also where nothing breaks', () => {
    const { info } = orderDocument();
    expect(faultsOf(snapshot, { ...orderDocument(), info: { ...info, version: '1.0.1' } })).toEqual([
      'apps/order-app/asyncapi.json is stale',
      howToUpdate,
    ]);
  });
});
