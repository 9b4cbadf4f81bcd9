import { describe, expect, it } from '@jest/globals';
import { comparePositions, decodeMessageId, encodeMessageId } from './position.ts';

describe('message ids', () => {
  it('reads what the WebSocket service sends', () => {
    // From a broker 4.2.4: ledger 5, entries 0 and 1, not batched.
    expect(decodeMessageId(Buffer.from('CAUQADAA', 'base64'))).toBe('5:0');
    expect(decodeMessageId(Buffer.from('CAUQATAA', 'base64'))).toBe('5:1');
  });

  it('reads partitions, batches and sets of acknowledged members', () => {
    const minusOne = [...Array.from({ length: 9 }, () => 0xff), 1];
    // ledger 300, entry 2, partition 3, index 7 of 10, and an ack set of one packed value.
    const batched = Uint8Array.from([0x08, 0xac, 0x02, 0x10, 2, 0x18, 3, 0x20, 7, 0x2a, 1, 5, 0x30, 10]);
    expect(decodeMessageId(batched)).toBe('300:2:7');
    expect(decodeMessageId(Uint8Array.from([0x08, 1, 0x10, 2, 0x18, ...minusOne, 0x20, ...minusOne]))).toBe('1:2');
  });

  it('writes what it reads, large ledgers and entries before the first one too', () => {
    for (const position of ['0:0', '5:1', `${2 ** 40 + 1}:127`, '3:128', '9:4:2'])
      expect(decodeMessageId(encodeMessageId(position))).toBe(position);
    expect(encodeMessageId('5:-1').toString('hex')).toBe(`080510${'ff'.repeat(9)}01`);
  });

  it('compares by ledger, entry and index', () => {
    const sorted = ['', '2:9', '10:1', '10:1:0', '10:1:2', '10:1:10', '10:2'];
    expect(sorted.toReversed().toSorted(comparePositions)).toEqual(sorted);
  });
});
