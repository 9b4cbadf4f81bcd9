import type { Message } from '@bento-bus/core';
import { failureHeaders as names, withoutMarks } from '../headers.ts';
import type { LetterEdit } from './options.ts';

/** Of a letter that a run has looked at and put back: which run. */
const passHeader = 'bento-redrive-pass';

/** Who changes what. Without a change: nothing, or the letter is discarded. */
export interface About {
  readonly change: LetterEdit | undefined;
  readonly by: string;
  readonly run: string;
}

/** Whether the run has had this letter in hand: it put it back, or redrove it, and it failed again. */
export const isOfRun = ({ headers }: Message, run: string): boolean =>
  headers[passHeader] === run || headers[names.redriveRun] === run;

/** The letter as it goes back to the end of the dead letters. */
export const putBack = (message: Message, run: string): Message => ({
  ...message,
  headers: { ...message.headers, [passHeader]: run },
});

/** The letter as the group gets it again. */
export function redriven(message: Message, about: About): Message {
  const { change } = about;
  const { [passHeader]: _, ...headers } = withoutMarks(message.headers);
  const { originTopic, originPosition, originGroup } = names;
  for (const name of [originTopic, originPosition, originGroup])
    if (message.headers[name] !== undefined) headers[name] = message.headers[name];
  for (const [name, value] of Object.entries(change?.headers ?? {}))
    if (value === undefined) delete headers[name.toLowerCase()];
    else headers[name.toLowerCase()] = value;
  return {
    ...message,
    ...(change?.body !== undefined && { body: change.body }),
    headers: { ...headers, ...who(about), ...(change && { [names.edited]: changed(change) }) },
  };
}

/** The original as it stands among the dead letters, and who changed what, or discarded it. */
export const original = (message: Message, about: About): Message => ({
  ...message,
  headers: {
    ...message.headers,
    ...who(about),
    [names.edited]: about.change === undefined ? 'discarded' : changed(about.change),
  },
});

const who = ({ by, run }: About): Record<string, string> => ({
  [names.redriven]: String(Date.now()),
  [names.redrivenBy]: by,
  [names.redriveRun]: run,
});

const changed = ({ body, headers = {} }: LetterEdit): string =>
  [...(body === undefined ? [] : ['body']), ...Object.keys(headers).map((name) => name.toLowerCase())].join(' ');
