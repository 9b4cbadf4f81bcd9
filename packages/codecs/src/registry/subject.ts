import type { SchemaText } from './port.ts';

/** The full name of what a schema describes; undefined: it has none. `message`: index path of a protobuf message. */
export function recordName({ format, text }: SchemaText, message: readonly number[] = [0]): string | undefined {
  return format === 'PROTOBUF' ? messageName(text, message) : jsonName(text, format === 'AVRO');
}

/** Avro: the name with its namespace. JSON Schema: the title, as Confluent's serializers have it. */
function jsonName(text: string, avro: boolean): string | undefined {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof schema !== 'object' || schema === null) return undefined;
  const { name, namespace, title } = schema as Readonly<Record<string, unknown>>;
  if (!avro) return typeof title === 'string' && title !== '' ? title : undefined;
  if (typeof name !== 'string') return undefined;
  return typeof namespace === 'string' && namespace !== '' && !name.includes('.') ? `${namespace}.${name}` : name;
}

/** By the structure alone: comments and strings are blanked, then only `package`, `message` and braces count. */
function messageName(text: string, path: readonly number[]): string | undefined {
  const plain = text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, ' ');
  const name = /(?:^|[;}\s])package\s+([\w.]+)\s*;/.exec(plain)?.[1];
  const names: string[] = name === undefined ? [] : [name];
  // How many messages each open message has had; a brace of anything else has no list.
  const open: (number[] | undefined)[] = [[0]];
  const wanted: (string | undefined)[] = [];
  for (const [, declared, brace] of plain.matchAll(/\bmessage\s+(\w+)\s*\{|([{}])/g)) {
    if (brace === '}') {
      open.pop();
      if (open.length === 0) return undefined;
      continue;
    }
    const counter = open.at(-1);
    const index = counter?.[0];
    // Where we stand on the path: all that is open must be what the path names.
    const depth = open.length - 1;
    const follows = declared !== undefined && index !== undefined && index === path[depth] && wanted.length === depth;
    if (declared !== undefined && counter !== undefined) counter[0] = (index as number) + 1;
    if (follows) {
      wanted.push(declared);
      if (wanted.length === path.length) return [...names, ...wanted].join('.');
    }
    open.push(declared === undefined ? undefined : [0]);
  }
  return undefined;
}
