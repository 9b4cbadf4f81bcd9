import { describe, expect, it } from '@jest/globals';
import { readBatch } from './batch.ts';

describe('a batch entry', () => {
  it('has its messages one after the other', () => {
    // Written by pulsar-client 1.18.0: bodies body1 and body2, keys k1 and k2, properties A and lower.
    const one = '0000001e0a070a0141120278310a0b0a056c6f7765721202c39c12026b3118054000626f647931';
    const two = '0000001e0a070a0141120278320a0b0a056c6f7765721202c39c12026b3218054001626f647932';
    const found = readBatch(Buffer.from(one + two, 'hex'), '23:0', 5);
    expect(found.map((stored) => Object.assign({}, stored, { body: String(stored.body) }))).toEqual([
      { position: '23:0:0', publishTime: 5, key: 'k1', properties: { A: 'x1', lower: 'Ü' }, body: 'body1' },
      { position: '23:0:1', publishTime: 5, key: 'k2', properties: { A: 'x2', lower: 'Ü' }, body: 'body2' },
    ]);
  });

  it('is read to its end, however it is cut off', () => {
    for (let length = 0; length < 8; length += 1)
      expect(readBatch(Buffer.alloc(length), '1:1', 0).length).toBeLessThanOrEqual(2);
  });
});
