import { readFile } from 'node:fs/promises';
import type { AsyncApiDocument, EventSchemas } from '@bento-bus/codecs/documents';
import { counted, exitCodes, explain, table, UsageError } from '@bento-bus/runtime/terminal';
import type { Command } from 'commander';
import { example } from '../arguments.ts';
import type { Acting } from '../program.ts';

export function addAsyncApi(program: Command, act: Acting): void {
  const asyncapi = program
    .command('asyncapi')
    .description('AsyncAPI documents and other snapshots of event catalogues');
  example(
    asyncapi
      .command('show')
      .description('events of a document, with topic and version')
      .argument('<file>', 'JSON, as `asyncApi` or `jsonSchemas` of @bento-bus/codecs made it')
      .action(
        act(async (work, file: string) => {
          const events = eventsOf(await documentIn(work.path(file)));
          work.output.result(events, () =>
            table(
              [{ title: 'Event' }, { title: 'Version', align: 'right' }, { title: 'Topic' }],
              events.map(({ event, version, topic }) => [event, `${version}`, topic]),
            ),
          );
        }),
      ),
    'bento asyncapi show asyncapi.json',
  );
  example(
    asyncapi
      .command('check')
      .description(
        'what of the new document breaks those who write or read by the old one; exits with 1 where something does',
      )
      .argument('<old>')
      .argument('<new>')
      .action(
        act(async (work, before: string, after: string) => {
          const { documentChanges } = await import('@bento-bus/codecs/documents');
          const changes = documentChanges(await documentIn(work.path(before)), await documentIn(work.path(after)));
          work.output.result({ compatible: changes.length === 0, changes }, () =>
            changes.length === 0
              ? 'Nothing breaks.\n'
              : `${changes.map((change) => `${change}\n`).join('')}${counted(changes.length, 'change breaks', 'changes break')} those who use the old document.\n`,
          );
          return changes.length === 0 ? exitCodes.ok : exitCodes.failure;
        }),
      ),
    'bento asyncapi check released.json asyncapi.json',
  );
}

/** Throws a {@link UsageError} for what cannot be read. */
export async function documentIn(file: string): Promise<AsyncApiDocument | EventSchemas> {
  try {
    const content = JSON.parse(await readFile(file, 'utf8')) as AsyncApiDocument | EventSchemas;
    // Looked through once: what is no such document fails here and not later.
    eventsOf(content);
    return content;
  } catch (error) {
    throw new UsageError(
      `bento: cannot read the document ${file}: ${explain(error)}. Name a JSON file that asyncApi or jsonSchemas made.`,
      { cause: error },
    );
  }
}

interface DescribedEvent {
  readonly event: string;
  readonly version: number;
  readonly topic: string;
}

export function eventsOf(document: AsyncApiDocument | EventSchemas): readonly DescribedEvent[] {
  if (typeof (document as Partial<AsyncApiDocument>).asyncapi === 'string') {
    const { channels, components } = document as AsyncApiDocument;
    return Object.values(channels).flatMap(({ address, messages }) =>
      Object.keys(messages).flatMap((name) => {
        const message = components.messages[name];
        return message === undefined ? [] : [{ event: message.name, version: message['x-version'], topic: address }];
      }),
    );
  }
  return Object.entries(document as EventSchemas).flatMap(([event, versions]) =>
    Object.entries(versions).map(([version, { topic }]) => ({ event, version: Number(version), topic })),
  );
}
