import { eventually } from '@bento-bus/conformance';
import { describe, expect, it } from '@jest/globals';
import { messageOf } from '../../test/watching.ts';
import { TopicEnd } from './topic-end.ts';

const long = 60_000;
const patient = { deadlineMs: 10_000 };

/** A topic whose partitions end so, and how often it was told to be through. */
function topicOf(lasts: readonly string[], idleMs = long, messages = 10, waiting: readonly string[] = []) {
  const told = { ended: 0 };
  const partitions = lasts.map((last, partition) => ({ partition, messages, last }));
  const later = waiting.map((position) => ({ partition: 0, position, message: messageOf() }));
  const end = new TopicEnd(partitions, later, idleMs, () => {
    told.ended += 1;
  });
  end.start();
  return { end, told };
}

describe('The end of a topic', () => {
  it.each([
    ['the last of each partition', ['0@4', '1@7'], ['0@4', '1@6', '1@7'], [true, true, true]],
    ['one beyond the last, as where it was the end of a transaction', ['0@4', '1@7'], ['0@9', '1@8'], [false, false]],
    ['the last of each ledger', ['7:9', '8:3'], ['7:9', '8:2:5', '8:3'], [true, true, true]],
    ['a later ledger of the only partition', ['7:9'], ['7:8', '11:0'], [true, false]],
    ['the entry after a batch', ['7:9'], ['7:9:0', '7:9:1', '7:10'], [true, true, false]],
    ['the last, however the backend writes it', ['a', 'b'], ['c', 'b', 'a'], [true, true, true]],
  ])('is %s; what was published later does not count', (_, lasts, positions, counting) => {
    const { end, told } = topicOf(lasts);
    const seen: boolean[] = [];
    for (const position of positions) {
      expect([end.isThrough, told.ended]).toEqual([false, 0]);
      seen.push(end.came(position));
    }
    expect([end.isThrough, told.ended]).toEqual([true, 1]);
    expect(seen).toEqual(counting);
    end.stop();
  });

  it('is there when none of its own comes, whatever is published meanwhile', async () => {
    const { end, told } = topicOf(['5:9', '6:3'], 100);
    const publishing = setInterval(() => end.came('12:1'), 5);
    try {
      await eventually(() => told.ended === 1, patient);
    } finally {
      clearInterval(publishing);
    }
    expect(end.isThrough).toBe(true);
  });

  it('is there soon after a batch that was the last', async () => {
    const { end, told } = topicOf(['7:9']);
    expect(end.came('7:9:0')).toBe(true);
    expect(end.isThrough).toBe(false);
    expect(end.came('7:9:1')).toBe(true);
    await eventually(() => told.ended === 1, patient);
  });

  it('is there at once where all wait for their time, and not where only the last does', () => {
    expect(topicOf(['0@1'], long, 2, ['0@0', '0@1', '0@1']).end.isThrough).toBe(true);
    const { end } = topicOf(['0@1'], long, 2, ['0@1']);
    expect(end.isThrough).toBe(false);
    end.stop();
  });
});
