import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Entry, ledgerWriter } from '../child/ledger.ts';
import { Ledger } from './ledger.ts';

const group = 'g';

describe('the ledger', () => {
  let folder: string;
  let ledger: Ledger;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bento-ledger-'));
    ledger = new Ledger(join(folder, 'ledger'));
  });
  afterEach(() => {
    ledger.close();
    rmSync(folder, { recursive: true });
  });
  /** Writes entries by short texts, `what by id`, at one moment a line. */
  const write = (...texts: string[]): void => {
    for (const [at, text] of texts.entries()) {
      const [what = '', by = '', id] = text.split(' ');
      ledgerWriter(ledger.file, by)(what as Entry['what'], { at, group, ...(id !== undefined && { id }) });
    }
  };

  it('is read as it grows, whole lines only', () => {
    write('start p a');
    expect(ledger.read().all('start')).toHaveLength(1);
    const line = JSON.stringify({ what: 'end', by: 'p', at: 1, group, id: 'schlüssel 🔑' });
    appendFileSync(ledger.file, Buffer.from(line).subarray(0, 60));
    expect(ledger.read().handled(group).size).toBe(0);
    appendFileSync(ledger.file, Buffer.from(`${line}\n`).subarray(60));
    expect([...ledger.read().handled(group)]).toEqual(['schlüssel 🔑']);
    expect(ledger.handled('other').size).toBe(0);
  });

  it('ends the calls of a process that was killed, but for what it still wrote', () => {
    write('start p a', 'start p b', 'start q c', 'kill p', 'end p b', 'start q a', 'failed q a');
    const calls = ledger.read().calls(group);
    expect(calls.map(({ id, by, end, failed, died = false }) => [id, by, end, failed, died])).toEqual([
      ['a', 'p', 3, false, true],
      ['b', 'p', 4, false, false],
      ['c', 'q', undefined, false, false],
      ['a', 'q', 6, true, false],
    ]);
  });

  it('ends a call that a process began between being told and dying', () => {
    write('start p a', 'kill p', 'start p b', 'start q b', 'end q b');
    const calls = ledger.read().calls(group);
    expect(calls.map(({ id, by, start, end, died = false }) => [id, by, start, end, died])).toEqual([
      ['a', 'p', 0, 1, true],
      ['b', 'p', 2, 2, true],
      ['b', 'q', 3, 4, false],
    ]);
  });

  it('lets nothing come again but work of a process that was killed, and of that as much as may be', () => {
    write('start p a', 'end p a', 'start p b', 'end p b', 'start p c', 'kill p', 'start q c', 'start q b', 'start q a');
    ledger.read();
    expect(() => ledger.assertRepeats(group, 3, 0)).not.toThrow();
    // Two in hand, and one that was handled in the last 2 ms.
    expect(() => ledger.assertRepeats(group, 2, 2)).not.toThrow();
    expect(() => ledger.assertRepeats(group, 2, 0)).toThrow('3 messages of the killed process p came again, at most 2');
    write('end q a', 'start r a');
    ledger.read();
    expect(() => ledger.assertRepeats(group, 9, 9)).toThrow('handled again though process q was not killed: a');
  });
});
