import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import type { Delivery, Message } from '@bento-bus/core';

/** A message whose body says who it is. */
export const messageOf = (key: string, text: string, headers: Readonly<Record<string, string>> = {}): Message => ({
  id: randomUUID(),
  type: 'test.happened',
  source: '/delivery-tests',
  time: Date.now(),
  key,
  headers: { 'content-type': 'text/plain', ...headers },
  body: Buffer.from(text),
});

export const textOf = ({ message }: Pick<Delivery, 'message'>): string => Buffer.from(message.body ?? []).toString();
