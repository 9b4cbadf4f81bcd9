import { readFile } from 'node:fs/promises';
import type { SchemaFormat, SchemaText } from '@bento-bus/codecs';
import { BentoError } from '@bento-bus/core';
import { exitCodes, explain, facts, table, UsageError } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { example, wholeNumber } from '../arguments.ts';
import { type Registry, registryOf } from '../connection/registries.ts';
import type { Acting } from '../program.ts';
import type { Work } from '../work.ts';

const formats: Readonly<Record<string, SchemaFormat>> = { avro: 'AVRO', json: 'JSON', protobuf: 'PROTOBUF' };
const byEnding: Readonly<Record<string, SchemaFormat>> = { avsc: 'AVRO', json: 'JSON', proto: 'PROTOBUF' };

export function addSchemas(program: Command, act: Acting): void {
  const schemas = program
    .command('schemas')
    .description("schemas of the registry of SCHEMA_REGISTRY_URL, else of Pulsar's own, where subjects are topics");
  example(
    schemas
      .command('list')
      .description('subjects, with their latest version')
      .action(
        act(async (work) => {
          const found = await registry(work).list();
          work.output.result(found, () =>
            table(
              [{ title: 'Subject' }, { title: 'Version', align: 'right' }],
              found.map(({ subject, version }) => [subject, `${version}`]),
            ),
          );
        }),
      ),
    'bento schemas list',
  );
  example(
    schemas
      .command('show')
      .description('a schema')
      .argument('<subject>')
      .addOption(new Option('--version <number>', 'not given: the latest').argParser(wholeNumber))
      .action(
        act(async (work, subject: string, { version }: { readonly version?: number }) => {
          const found = await registry(work).show(subject, version);
          if (found === undefined)
            throw new BentoError(
              'VALIDATION',
              `bento: cannot show the schema of "${subject}": there is no such subject or version. \`schemas list\` shows those that there are.`,
            );
          const { text, ...about } = found;
          work.output.result(found, () => {
            const head = facts(Object.entries(about).map(([name, value]) => [name, `${value}`]));
            return `${head}\n${readable(text)}\n`;
          });
        }),
      ),
    'bento schemas show orders-value --version 2',
  );
  example(
    schemas
      .command('check')
      .description('whether a schema may follow those of a subject; registers nothing, exits with 1 where it may not')
      .argument('<subject>')
      .argument('<file>', 'with the schema: .avsc, .json or .proto')
      .addOption(new Option('--format <format>', 'in place of that of the ending').choices(Object.keys(formats)))
      .action(
        act(async (work, subject: string, file: string, { format }: { readonly format?: string }) => {
          const schema = await schemaIn(work.path(file), format);
          const found = await registry(work).check(subject, schema);
          work.output.result({ subject, ...found }, () =>
            found.compatible ? `It may follow "${subject}".\n` : `It may not follow "${subject}": ${found.reason}\n`,
          );
          return found.compatible ? exitCodes.ok : exitCodes.failure;
        }),
      ),
    'bento schemas check orders-value order.avsc',
  );
}

const registry = (work: Work): Registry =>
  registryOf({
    config: work.config,
    signal: work.signal,
    timeoutMs: work.place.timeoutMs,
    topics: async () => (await work.operations('broker')).listTopics(),
  });

/** JSON with line breaks; other text as it is. */
function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}

async function schemaIn(file: string, given: string | undefined): Promise<SchemaText> {
  const ending = file.slice(file.lastIndexOf('.') + 1);
  const format = given === undefined ? byEnding[ending] : formats[given];
  if (format === undefined)
    throw new UsageError(
      `bento: cannot tell what schema is in ${file}: its name ends in none of .avsc, .json, .proto. Add --format.`,
    );
  try {
    return { format, text: await readFile(file, 'utf8') };
  } catch (error) {
    throw new UsageError(`bento: cannot read the schema: ${explain(error)}. Name a file that can be read.`, {
      cause: error,
    });
  }
}
