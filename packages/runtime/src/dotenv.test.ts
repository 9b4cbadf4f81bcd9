import { parseEnv } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { parseDotenv } from './dotenv.ts';

describe('parseDotenv', () => {
  it.each([
    'A=1\nB=two words  \n\nC=\nD=4',
    '# comment\nA=1 # why\n  B = 2  \nexport C=3\nD=# nothing',
    `A="x # y"\nB='it is "so"'\nC=\`a'b"c\` # end\nD="a\\nb"\nE='a\\nb'`,
    'A="line one\nline two"\nB=after',
    'A=1\r\nB="2"\r\n',
    "URL=http://u:p@h:8123/x?y=z&k=\nA=it's",
    '',
    '\n\n  # only a comment',
  ])('reads %j as Node does', (text) => {
    expect({ ...parseDotenv(text).values }).toEqual({ ...parseEnv(text) });
    expect(parseDotenv(text).badLines).toEqual([]);
  });

  it.each([
    ['a line without =', 'A=1\nPASSWORD hunter2\nB=2', [2]],
    ['an open quote', 'A=1\n\nB="x\nC=3', [3]],
    ['a # within a value, which Node cuts off', 'PASSWORD=abc#def', [1]],
    ['text behind a quoted value', 'A="x" y', [1]],
    ['a name with a blank or a sign', 'bad name=1\nA-B=2\n1A=3\n=4', [1, 2, 3, 4]],
  ])('gives the number of %s', (_name, text, badLines) => {
    expect(parseDotenv(text).badLines).toEqual(badLines);
  });

  it('reads the good lines beside a bad one, and no byte order mark', () => {
    expect(parseDotenv('\ufeffA=1\nwhat\nB="2"').values).toEqual({ A: '1', B: '2' });
  });
});
