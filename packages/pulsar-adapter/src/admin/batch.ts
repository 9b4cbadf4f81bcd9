import { Buffer } from 'node:buffer';

/** A message as it is stored. */
export interface Stored {
  readonly position: string;
  readonly publishTime: number;
  readonly key: string | undefined;
  readonly properties: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A field of a protobuf message: a number, or bytes. */
type Field = readonly [number: number, value: number | Buffer];

/**
 * The messages of a batch entry: each the size of its metadata (4 bytes), the protobuf message `SingleMessageMetadata`
 * (PulsarApi.proto), its payload.
 */
export function readBatch(entry: Buffer, position: string, publishTime: number): readonly Stored[] {
  const messages: Stored[] = [];
  for (let at = 0, index = 0; at + 4 <= entry.length; index += 1) {
    const end = at + 4 + entry.readUInt32BE(at);
    const properties: Record<string, string> = {};
    let key: string | undefined;
    let size = 0;
    let left = false;
    for (const [number, value] of fieldsOf(entry.subarray(at + 4, end))) {
      if (number === 1 && typeof value !== 'number') {
        const [name = '', text = ''] = [...fieldsOf(value)].map(([, part]) => String(part));
        if (name !== '__proto__') properties[name] = text;
      } else if (number === 2) key = String(value);
      else if (number === 3) size = Number(value);
      // Compacted away.
      else if (number === 4) left = value !== 0;
    }
    at = end + size;
    const body = entry.subarray(end, at);
    if (!left) messages.push({ position: `${position}:${index}`, publishTime, key, properties, body });
  }
  return messages;
}

function* fieldsOf(bytes: Buffer): Iterable<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) return value;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const value = varint();
    if ((tag & 7) !== 2) yield [tag >> 3, value];
    else {
      yield [tag >> 3, bytes.subarray(at, at + value)];
      at += value;
    }
  }
}
