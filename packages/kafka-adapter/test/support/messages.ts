import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Message } from '@bento-bus/core';

export const unique = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;

export const message = (fields: Partial<Message> = {}): Message => {
  const id = fields.id ?? randomUUID();
  return { id, type: 'test.event', source: '/test', time: Date.now(), headers: {}, body: Buffer.from(id), ...fields };
};

export const numbered = (count: number, keyOf: (place: number) => string): Message[] =>
  Array.from({ length: count }, (_, place) => message({ id: `m${place}`, key: keyOf(place) }));

/** Polls until it is so; fails when it takes longer. */
export async function eventually(what: string, isSo: () => boolean, ms = 40_000): Promise<void> {
  for (const end = Date.now() + ms; !isSo(); await setTimeout(10))
    if (Date.now() > end) throw new Error(`${what} took longer than ${ms} ms`);
}

/** The code of what it rejects with. */
export const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'no error';
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
};
