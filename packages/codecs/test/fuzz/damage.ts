/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Numbers, lengths and marks that have broken decoders before. */
const pieces: readonly Buffer[] = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xfe, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
  [0x80, 0x94, 0xeb, 0xdc, 0x03],
  [0x01, 0x01],
  [0x00],
  [0xed, 0xa0, 0x80],
  [0x12, ...Buffer.from('__proto__')],
  [0x0a, 0x09, ...Buffer.from('__proto__')],
  [...Buffer.from('"__proto__":{"x":1},')],
  [...Buffer.from('[[[[[[[[[[[[[[[[[[[[')],
  [0x5a, 0x00, 0x62, 0x00],
].map((bytes) => Buffer.from(bytes));

/** A body with one to four kinds of damage. `others`: bodies that pieces are taken from. */
export function damaged(body: Buffer, others: readonly Buffer[], random: () => number): Buffer {
  let result = Buffer.from(body);
  const below = (end: number): number => Math.floor(random() * end);
  const kinds: readonly (() => void)[] = [
    // Bits.
    () => {
      for (let i = below(8); i >= 0 && result.length > 0; i -= 1) {
        const at = below(result.length);
        result[at] = (result[at] as number) ^ (1 << below(8));
      }
    },
    // Bytes.
    () => {
      for (let i = below(4); i >= 0 && result.length > 0; i -= 1) result[below(result.length)] = below(256);
    },
    // The end is missing.
    () => {
      result = result.subarray(0, below(result.length + 1));
    },
    // A piece of another body, or of this one once more.
    () => {
      const other = others[below(others.length)] as Buffer;
      const from = below(other.length + 1);
      const at = below(result.length + 1);
      const piece = other.subarray(from, from + below(64));
      result = Buffer.concat([result.subarray(0, at), piece, result.subarray(at + below(16))]);
    },
    () => {
      const at = below(result.length + 1);
      const piece = pieces[below(pieces.length)] as Buffer;
      result = Buffer.concat([result.subarray(0, at), piece, result.subarray(at + below(12))]);
    },
    // The same again and again: depth, or very many.
    () => {
      const from = below(result.length + 1);
      const piece = result.subarray(from, from + 1 + below(6));
      const times = random() < 0.02 ? 20_000 : below(300);
      result = Buffer.concat([
        result.subarray(0, from),
        ...Array.from({ length: times }, () => piece),
        result.subarray(from),
      ]);
    },
  ];
  for (let i = below(3); i >= 0; i -= 1) (kinds[below(kinds.length)] as () => void)();
  return result;
}
