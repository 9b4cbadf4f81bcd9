import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { headerNames, type Message } from '@bento-bus/core';
import { counted, explain, printCount, UsageError } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { duration, example, pair } from '../arguments.ts';
import type { Acting } from '../program.ts';
import type { Work } from '../work.ts';

interface PublishArguments {
  readonly file?: string;
  readonly type?: string;
  readonly key?: string;
  readonly keyFrom?: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly source: string;
  readonly codec: 'json' | 'text';
  /** Milliseconds. */
  readonly delay?: number;
  readonly lines?: true;
}

/** Messages in hand at once. */
const batch = 500;

export function addPublish(program: Command, act: Acting): void {
  example(
    program
      .command('publish')
      .description('publish a message, or with --lines one a line')
      .argument('<topic>')
      .argument('[body]', 'not given: from --file, else from standard input')
      .option('--file <file>', 'the body is in this file')
      .option('--type <type>', 'type of the message; not given: the topic')
      .option('--key <key>', 'messages of one key are handled in order')
      .option('--key-from <field>', 'the key is in this field of the JSON body')
      .addOption(new Option('--header <name=value>', 'a header; once for each').argParser(pair))
      .addOption(new Option('--source <source>', 'who sends it').default('/bento'))
      .addOption(new Option('--codec <codec>', 'what the body is').choices(['json', 'text']).default('json'))
      .addOption(new Option('--delay <time>', 'not handled before: 500ms, 5s, 10m, 1h').argParser(duration))
      .option('--lines', 'one message a line (NDJSON)')
      .action(act(publish, { endless: (_topic, _body, { lines }) => lines === true })),
    `bento publish orders '{"orderId":"o-1"}' --type order.placed --key o-1`,
    'bento publish orders --lines --key-from orderId < orders.ndjson',
  );
}

async function publish(work: Work, topic: string, body: string | undefined, options: PublishArguments): Promise<void> {
  const isLines = options.lines === true;
  const text = body ?? (await given(work, options.file));
  const bodies = isLines ? text.split(/\r?\n/).filter((line) => line !== '') : [text];
  const messages = bodies.map((one, index) => messageOf(one, topic, options, isLines ? index + 1 : undefined));
  if (messages.length === 0)
    throw new UsageError('bento: cannot publish: there is no line. Give at least one message.');
  const operations = await work.operations('broker');
  let confirmed = 0;
  let inHand = 0;
  const tell = (): void => {
    work.whenCutShort = undefined;
    work.progress.stop();
    const ids = messages.slice(0, confirmed).map(({ id }) => id);
    work.output.result({ topic, published: confirmed, of: messages.length, ids }, () =>
      isLines
        ? `Published ${publishedOf(confirmed, messages.length)} to "${topic}".\n`
        : `Published ${ids[0] ?? ''} to "${topic}".\n`,
    );
    if (inHand > 0)
      work.output.notice(
        `Whether ${counted(inHand, 'more message')} of it arrived is not known: they were on their way.`,
      );
  };
  const isEnded = (): boolean => work.signal.aborted;
  if (isLines) work.whenCutShort = tell;
  try {
    while (confirmed < messages.length && !isEnded()) {
      const some = messages.slice(confirmed, confirmed + batch);
      inHand = some.length;
      await operations.publish(topic, some);
      inHand = 0;
      confirmed += some.length;
      if (!isEnded()) work.progress.update('Publishing', confirmed, messages.length);
    }
  } catch (error) {
    work.whenCutShort?.();
    throw error;
  }
  // What was cut short while it waited has been told; of a single message there is something to tell when it is confirmed.
  if (isLines ? work.whenCutShort !== undefined : confirmed > 0) tell();
}

const publishedOf = (confirmed: number, all: number): string =>
  confirmed === all ? counted(all, 'message') : `${printCount(confirmed)} of ${counted(all, 'message')}`;

async function given(work: Work, file: string | undefined): Promise<string> {
  const { input } = work.io;
  if (file !== undefined && file !== '-') {
    try {
      return await readFile(work.path(file), 'utf8');
    } catch (error) {
      throw new UsageError(`bento: cannot publish: ${explain(error)}. Name a file that can be read.`, { cause: error });
    }
  }
  if (input.isTTY === true)
    throw new UsageError(
      'bento: cannot publish: there is no body. Give it as argument, by --file or on standard input.',
    );
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

function messageOf(text: string, topic: string, options: PublishArguments, line: number | undefined): Message {
  const { type = topic, source, codec, header = {}, delay } = options;
  const body = codec === 'json' ? text.trim() : text;
  const data = codec === 'json' ? parsed(body, line) : undefined;
  const key = options.keyFrom === undefined ? options.key : keyIn(data, options.keyFrom, line);
  const now = Date.now();
  return {
    id: randomUUID(),
    type,
    source,
    time: now,
    ...(key !== undefined && { key }),
    headers: {
      [headerNames.contentType]: codec === 'json' ? 'application/json' : 'text/plain; charset=utf-8',
      [headerNames.eventVersion]: '1',
      ...(delay !== undefined && { [headerNames.deliverAt]: `${now + delay}` }),
      ...Object.fromEntries(Object.entries(header).map(([name, value]) => [name.toLowerCase(), value])),
    },
    body: Buffer.from(body),
  };
}

const where = (line: number | undefined): string => (line === undefined ? '' : ` line ${line}`);

/** Only looked at: what is sent is the text as it was given. */
function parsed(text: string, line: number | undefined): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(
      `bento: cannot publish${where(line)}: the body is no JSON (${explain(error)}). Correct it, or add --codec text.`,
      { cause: error },
    );
  }
}

function keyIn(data: unknown, name: string, line: number | undefined): string {
  const value =
    typeof data === 'object' && data !== null && Object.hasOwn(data, name)
      ? (data as Readonly<Record<string, unknown>>)[name]
      : undefined;
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  throw new UsageError(
    `bento: cannot publish${where(line)}: it has no text or number in the field "${name}". Name another by --key-from.`,
  );
}
