/**
 * The wire format of Confluent's serializers, version 0: a zero byte, the id of the schema in 4 bytes (big-endian), for protobuf the index
 * path of the message, the payload.
 * https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 */
export const headSize = 5;

/** Longest index path read: messages inside one another. */
const maxPath = 64;

/** What stands before the payload. */
export function frame(id: number, message?: readonly number[]): Uint8Array {
  const bytes = [0, id >>> 24, (id >>> 16) & 0xff, (id >>> 8) & 0xff, id & 0xff];
  if (message !== undefined) {
    // The first message of a file, by far the commonest, is a single zero.
    if (message.length === 1 && message[0] === 0) bytes.push(0);
    else for (const number of [message.length, ...message]) pushZigzag(bytes, number);
  }
  return Uint8Array.from(bytes);
}

/** The id that a body names; a string says what is wrong with it. */
export function idOf(body: Uint8Array): number | string {
  if (body.length < headSize) return `${body.length} bytes are less than the ${headSize} before a payload`;
  const magic = body[0] as number;
  if (magic !== 0) return `it begins with byte ${magic}, not with the 0 of a body whose schema is in a registry`;
  const id =
    ((body[1] as number) << 24) | ((body[2] as number) << 16) | ((body[3] as number) << 8) | (body[4] as number);
  return id >= 0 ? id : `${id >>> 0} is no id of a schema`;
}

/** The index path after the head, and where the payload begins; undefined: it is cut short or no path. */
export function pathOf(body: Uint8Array): { readonly message: readonly number[]; readonly offset: number } | undefined {
  let offset = headSize;
  const next = (): number | undefined => {
    let bits = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = body[offset];
      if (byte === undefined) return undefined;
      offset += 1;
      bits += (byte & 0x7f) * 2 ** shift;
      // Zigzag; an odd number would be a negative index.
      if (byte < 0x80) return bits % 2 === 0 ? bits / 2 : undefined;
    }
    return undefined;
  };
  const length = next();
  if (length === undefined || length > maxPath) return undefined;
  if (length === 0) return { message: [0], offset };
  const message: number[] = [];
  for (let i = 0; i < length; i += 1) {
    const index = next();
    if (index === undefined) return undefined;
    message.push(index);
  }
  return { message, offset };
}

function pushZigzag(bytes: number[], number: number): void {
  let rest = number * 2;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
}
