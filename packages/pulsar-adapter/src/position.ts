import { Buffer } from 'node:buffer';

/**
 * A message id as text: `ledger:entry`, or `ledger:entry:index` in a batch. Ledgers are numbered across the cluster, so it is unique
 * within a topic, partitioned or not. The empty text is before the first message.
 */
export type MessagePosition = string;

/** Numbers of a position, for comparing: ledger, entry, index in its batch (-1: none). */
export function parsePosition(position: MessagePosition): readonly [ledger: number, entry: number, index: number] {
  if (position === '') return [-1, -1, -1];
  const [ledger, entry, index = '-1'] = position.split(':');
  return [Number(ledger), Number(entry), Number(index)];
}

/** Below 0: `a` is before `b`. */
export function comparePositions(a: MessagePosition, b: MessagePosition): number {
  if (a === b) return 0;
  const [left, right] = [parsePosition(a), parsePosition(b)];
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}

/** Reads a message id: the protobuf message `MessageIdData` (PulsarApi.proto). */
export function decodeMessageId(bytes: Uint8Array): MessagePosition {
  let ledger = 0;
  let entry = 0;
  let index = -1;
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined) return value;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if ((tag & 7) === 2) {
      at += varint();
      continue;
    }
    const value = varint();
    if (tag === 0x08) ledger = value;
    else if (tag === 0x10) entry = value;
    // -1 takes ten bytes and is far above any index.
    else if (tag === 0x20) index = value > 0x7fffffff ? -1 : value;
  }
  return index < 0 ? `${ledger}:${entry}` : `${ledger}:${entry}:${index}`;
}

/** Writes a message id, for readers to start after. */
export function encodeMessageId(position: MessagePosition): Buffer {
  const [ledger, entry, index] = parsePosition(position);
  const bytes: number[] = [];
  const field = (tag: number, value: number): void => {
    bytes.push(tag);
    // As protobuf writes a negative number: in 64 bits.
    if (value < 0) {
      bytes.push(...Array.from({ length: 9 }, () => 0xff), 1);
      return;
    }
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
    bytes.push(rest);
  };
  field(0x08, ledger);
  field(0x10, entry);
  if (index >= 0) field(0x20, index);
  return Buffer.from(bytes);
}
