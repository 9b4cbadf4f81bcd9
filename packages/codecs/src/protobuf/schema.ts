import protobuf, { type INamespace, type ReflectionObject, type Root, type Type } from 'protobufjs';
// oxlint-disable-next-line import/no-unassigned-import -- adds the reading of descriptors to protobufjs
import 'protobufjs/ext/descriptor.js';

/** A message type and where it is. */
export interface ProtobufType {
  /**
   * The text of a `.proto` file, the bytes of a `FileDescriptorSet` (`protoc --include_imports --descriptor_set_out=…`), the JSON of protobufjs
   * (`pbjs -t json`), or a Root of protobufjs. A text may import Google's well-known types; one with other imports comes as a descriptor set.
   */
  readonly proto: string | Uint8Array | INamespace | Root;
  /** Full name: `shop.OrderPlaced`. */
  readonly message: string;
}

/** Throws what protobufjs does, and for a message that is not there. */
export function resolveType({ proto, message }: ProtobufType, keepCase: boolean): Type {
  const root = rootOf(proto, keepCase);
  root.resolveAll();
  const found = root.lookup(message, [protobuf.Type]);
  if (found instanceof protobuf.Type) return found;
  throw new Error(`there is no message "${message}"`);
}

function rootOf(proto: ProtobufType['proto'], keepCase: boolean): Root {
  if (typeof proto === 'string') return parse(proto, keepCase);
  if (proto instanceof protobuf.Root) return proto;
  if (proto instanceof Uint8Array) return protobuf.Root.fromDescriptor(proto, { keepCase });
  return protobuf.Root.fromJSON(proto);
}

/** A `.proto` with what it imports of Google's. */
export function parse(text: string, keepCase: boolean): Root {
  const { root, imports = [] } = protobuf.parse(text, { keepCase });
  for (const path of imports) {
    const known = protobuf.common.get(path);
    if (known?.nested === undefined)
      throw new Error(`the import "${path}" is none of Google's well-known types; give a descriptor set`);
    root.addJSON(known.nested);
  }
  return root;
}

/** Where a message is within its file: its index among the messages of what holds it, from the outside in. */
export function indexPathOf(type: Type): readonly number[] {
  const path: number[] = [];
  let one: ReflectionObject = type;
  for (;;) {
    const holder: unknown = one.parent;
    if (!(holder instanceof protobuf.Namespace)) return path;
    path.unshift(messagesOf(holder).indexOf(one as Type));
    if (!(holder instanceof protobuf.Type)) return path;
    one = holder;
  }
}

/** The message at an index path of a `.proto`: empty where there is none, undefined for a text that cannot be read. */
export function messageAt(text: string, path: readonly number[]): string | undefined {
  try {
    const { root, package: name } = protobuf.parse(text);
    let holder = name === undefined ? root : root.lookup(name);
    for (const index of path) {
      if (!(holder instanceof protobuf.Namespace)) return '';
      holder = messagesOf(holder)[index] ?? null;
    }
    return holder instanceof protobuf.Type ? holder.fullName.slice(1) : '';
  } catch {
    return undefined;
  }
}

const messagesOf = (holder: protobuf.Namespace): Type[] =>
  holder.nestedArray.filter((one): one is Type => one instanceof protobuf.Type);
