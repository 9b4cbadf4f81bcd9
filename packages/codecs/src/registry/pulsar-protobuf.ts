import { Buffer } from 'node:buffer';
import { BentoError } from '@bento-bus/core';
import { Refusal } from './cache.ts';
import { recordName } from './subject.ts';

interface Oneof {
  readonly name: string;
}
interface Message {
  readonly field?: { readonly oneofIndex?: number; readonly proto3Optional?: boolean }[];
  oneofDecl?: Oneof[];
  readonly nestedType?: Message[];
}

interface File {
  readonly name: string;
  readonly package?: string;
  readonly messageType?: Message[];
  dependency?: string[];
}

/**
 * The text of a `.proto` as Pulsar's PROTOBUF_NATIVE keeps it: the JSON of a descriptor set and the name of the message in it.
 * https://pulsar.apache.org/docs/schema-understand/
 */
export async function protobufNative(text: string, message: readonly number[] = [0]): Promise<string | Refusal> {
  const name = recordName({ format: 'PROTOBUF', text }, message);
  if (name === undefined) return noMessage;
  const { parse, descriptor } = await load();
  const { FileDescriptorSet } = descriptor;
  try {
    const root = parse(text, true);
    root.resolveAll();
    const edition = /\bsyntax\s*=\s*["']proto3["']/.test(text) ? 'proto3' : 'proto2';
    const set = FileDescriptorSet.toObject(root.toDescriptor(edition), { enums: String }) as { readonly file: File[] };
    const space = name.split('.').slice(0, -message.length).join('.');
    const own = set.file.find((file) => (file.package ?? '') === space);
    if (own === undefined) return noMessage;
    for (const one of own.messageType ?? []) reorder(one);
    // Google's types, each package as a file.
    own.dependency = set.file.filter((file) => file !== own).map((file) => file.name);
    return JSON.stringify({
      fileDescriptorSet: Buffer.from(FileDescriptorSet.encode(FileDescriptorSet.fromObject(set)).finish()).toString(
        'base64',
      ),
      rootMessageTypeName: name,
      rootFileDescriptorName: own.name,
    });
  } catch (error) {
    return new Refusal(`its .proto cannot be had as descriptors (${(error as Error).message})`, 'Correct it.');
  }
}

const noMessage = new Refusal('its .proto has no message at the index path of this one', 'Give the text that has it.');

// An optional peer, loaded by those alone who have protobuf schemas.
async function load(): Promise<{
  readonly parse: typeof import('../protobuf/schema.ts').parse;
  readonly descriptor: typeof import('protobufjs/ext/descriptor.js');
}> {
  try {
    const [{ parse }, { default: descriptor }] = await Promise.all([
      import('../protobuf/schema.ts'),
      import('protobufjs/ext/descriptor.js'),
    ]);
    return { parse, descriptor };
  } catch (cause) {
    throw new BentoError(
      'CONFIGURATION',
      'codecs: cannot upload a protobuf schema to Pulsar: the package "protobufjs" is missing. Install it.',
      false,
      { cause },
    );
  }
}

/** The groups that stand for single optional fields come last in a descriptor; protobufjs has them in the order of the text. */
function reorder(message: Message): void {
  const made = new Set(message.field?.flatMap((one) => (one.proto3Optional === true ? [one.oneofIndex] : [])));
  const before = message.oneofDecl ?? [];
  const order = before.map((_, index) => index).toSorted((a, b) => Number(made.has(a)) - Number(made.has(b)) || a - b);
  message.oneofDecl = order.map((index) => before[index] as Oneof);
  for (const field of (message.field ?? []) as { oneofIndex?: number }[])
    if (field.oneofIndex !== undefined) field.oneofIndex = order.indexOf(field.oneofIndex);
  for (const nested of message.nestedType ?? []) reorder(nested);
}
