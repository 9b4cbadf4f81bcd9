import { BentoError, type Message } from '@bento-bus/core';

/** Throws a `CONFIGURATION` error unless `name` can name a topic, a group or a log. */
export function checkName(doing: string, what: 'topic' | 'group' | 'log', name: unknown): void {
  const fault =
    typeof name !== 'string'
      ? `its name is of type ${typeof name}`
      : name.trim() === ''
        ? 'its name is empty'
        : /\p{Surrogate}/u.test(name)
          ? 'its name is not well-formed Unicode'
          : undefined;
  if (fault !== undefined)
    throw new BentoError(
      'CONFIGURATION',
      `inprocess-bus: cannot ${doing} ${what} "${String(name)}": ${fault}. Give it a name of one character or more.`,
    );
}

/**
 * The message as the topic keeps it: nothing that the caller does to the object, its headers or the array they came in changes it
 * any more. Bodies are not copied. Without a key the id is the key.
 */
export function storedMessage(topic: string, message: Message): Message {
  const { id, type, source, time, key = id, headers, body, raw } = message;
  if (typeof id !== 'string' || id === '')
    throw new BentoError(
      'CONFIGURATION',
      `inprocess-bus: cannot publish a message to "${topic}": it has no id. Give each message an id of its own.`,
    );
  const stored = { id, type, source, time, key, headers: { ...headers }, body };
  if (raw === undefined) return stored;
  return { ...stored, raw: raw.headers === undefined ? { ...raw } : { ...raw, headers: [...raw.headers] } };
}
