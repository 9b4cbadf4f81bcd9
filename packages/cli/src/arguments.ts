import type { ResetPosition, StartPosition } from '@bento-bus/core';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** From 1. */
export const count = (text: string): number => {
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw new InvalidArgumentError('It is a whole number from 1.');
  return Number(text);
};

export const wholeNumber = (text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is a whole number from 0.');
  return Number(text);
};

export const seconds = (text: string): number => {
  if (!/^\d{1,6}(?:\.\d{1,3})?$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('It is a number of seconds above 0.');
  return Number(text);
};

export const rate = (text: string): number => {
  if (!/^\d{1,6}(?:\.\d{1,3})?$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('It is a number a second above 0.');
  return Number(text);
};

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `500ms`, `5s`, `10m`, `1h`, `1d`: milliseconds. */
export const duration = (text: string): number => {
  const [, amount, unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('It is a time like 500ms, 5s, 10m, 1h or 1d.');
  return Number(amount) * (units[unit] ?? 1);
};

/** `2026-01-31`, or with a time of day; `Z`, `UTC` or an offset may follow. */
const dateAndTime =
  /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(?:(?:Z| ?UTC)|([+-]\d{2}):?(\d{2}))?)?$/i;

/** ISO 8601, UTC where it names no zone, as our tables print it; or how long ago: `15m`. Epoch milliseconds. */
export const time = (text: string): number => {
  if (/^\d{1,9}(ms|s|m|h|d)$/.test(text)) return Date.now() - duration(text);
  const [, day = '', clock = '00:00', hours, minutes = '00'] = dateAndTime.exec(text) ?? [];
  const at = Date.parse(`${day}T${clock}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`);
  if (Number.isNaN(at) || !isDay(day))
    throw new InvalidArgumentError(
      'It is a time like 2026-01-31T10:00:00Z, UTC where no zone is named, or how long ago: 15m.',
    );
  return at;
};

/** JavaScript takes 30 February for 2 March. */
const isDay = (day: string): boolean => new Date(`${day}T00:00Z`).toISOString().startsWith(day);

/** `earliest`, `latest`, or a time. */
export const start = (text: string): StartPosition =>
  text === 'earliest' || text === 'latest' ? text : { time: time(text) };

/** The same, or `position:…` as messages show it. */
export const place = (text: string): ResetPosition =>
  text.startsWith('position:') ? { position: text.slice('position:'.length) } : start(text);

/** Once for each; gathers. */
export const each = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** `NAME=VALUE`, once for each. */
export const pair = (text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('It is NAME=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
};

/** An example at the end of a command's help. `bento` stands for the name of the program. */
export function example(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', (context) => {
    let root: Command = context.command;
    while (root.parent !== null) root = root.parent;
    const shown = lines.map((line) => `  ${line.replace(/^bento\b/, root.name())}`);
    return `\nExample${lines.length === 1 ? '' : 's'}:\n${shown.join('\n')}`;
  });
}

/** Settings of topics, by the names of Kafka and of Pulsar, by which the broker deletes messages. */
const deleting = /^(?:(?:local\.|delete\.)?retention(?:\.|$)|cleanup\.policy$|messageTTL$|backlogQuota)/i;

/** Whether a change of these settings may delete messages. */
export const mayDelete = (names: readonly string[]): boolean => names.some((name) => deleting.test(name));

/** The option of commands that cannot be undone. */
export const yesOption = (): Option => new Option('-y, --yes', 'do it without asking');
