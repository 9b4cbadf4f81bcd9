import { Buffer } from 'node:buffer';
import type { FailedMessage, SeenMessage } from '@bento-bus/admin';
import { headerNames, type Message, type StoredEvent } from '@bento-bus/core';
import { facts } from '@bento-bus/runtime/terminal';
import { isoTime, printTime } from './time.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The body as text; undefined where it is none. */
function textOf(body: Uint8Array): string | undefined {
  try {
    return utf8.decode(body);
  } catch {
    return undefined;
  }
}

/** Numbers that JavaScript could not hold: such a body stays text. */
const longNumber = /(?:^|[:,[\s-])\d[\d.eE+-]{15,}/;
const texts = /"[^"\\]*(?:\\.[^"\\]*)*"/gs;

/** As the JSON format of CloudEvents has a body: `data`, a JSON value or text, or `data_base64`. */
function bodyJson(body: Uint8Array | null): object {
  if (body === null) return { data: null };
  const text = textOf(body);
  if (text === undefined) return { data_base64: Buffer.from(body).toString('base64') };
  if (!longNumber.test(text.replaceAll(texts, '""'))) {
    try {
      return { data: JSON.parse(text) as unknown };
    } catch {
      // Text, then.
    }
  }
  return { data: text };
}

/** A message as JSON. Times are ISO 8601. */
const messageJson = ({ id, type, source, time, key, headers, body }: Message): object => ({
  id,
  type,
  source,
  time: isoTime(time),
  ...(key !== undefined && { key }),
  headers,
  ...bodyJson(body),
});

export const seenJson = ({ topic, partition, position, message }: SeenMessage): object => ({
  topic,
  ...(partition !== undefined && { partition }),
  position,
  ...messageJson(message),
});

export const failedJson = ({ message, firstFailed, lastFailed, ...about }: FailedMessage): object => ({
  ...about,
  firstFailed: isoTime(firstFailed),
  lastFailed: isoTime(lastFailed),
  message: messageJson(message),
});

export const eventJson = ({ time, ...event }: StoredEvent): object => ({ ...event, time: isoTime(time) });

/** The body in one line. */
export function bodyText(body: Uint8Array | null): string {
  if (body === null) return '(tombstone)';
  return textOf(body) ?? `(${body.length} bytes, ${Buffer.from(body.subarray(0, 24)).toString('hex')}…)`;
}

export const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

/** All of a message, for people. */
export function messageText(message: Message): string {
  const { id, type, source, time, key, headers, body } = message;
  const shown = new Set<string>([headerNames.contentType]);
  const rest = Object.entries(headers).filter(([name]) => !shown.has(name));
  return facts([
    ['Id', id],
    ['Type', type],
    ['Source', source],
    ['Time', `${printTime(time)} UTC`],
    ...(key === undefined ? [] : [['Key', key] as const]),
    ...(headers[headerNames.contentType] === undefined
      ? []
      : [['Content type', headers[headerNames.contentType] ?? ''] as const]),
    ...rest.map(([name, value]) => [`  ${name}`, value] as const),
    ['Body', bodyText(body)],
  ]);
}
