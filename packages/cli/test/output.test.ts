import { spawnSync } from 'node:child_process';
import { BentoError, isBentoError, type ReadModelStore } from '@bento-bus/core';
import type { TrailBranch, TrailMessage } from '@bento-bus/observability';
import { describe, expect, it } from '@jest/globals';
import { mayDelete, time } from '../src/arguments.ts';
import { getJson } from '../src/connection/http.ts';
import { recordedFailures } from '../src/connection/recorded-failures.ts';
import { seenJson } from '../src/output/messages.ts';
import { Output } from '../src/output/output.ts';
import { printTime } from '../src/output/time.ts';
import { trailJson, trailText } from '../src/output/trail.ts';
import { gather } from './support.ts';

const source = (path: string): string => new URL(path, import.meta.url).href;

describe('a time on the command line', () => {
  const at = Date.UTC(2026, 0, 31, 10);

  it.each([
    ['2026-01-31T10:00:00Z', at],
    ['2026-01-31T10:00:00', at],
    ['2026-01-31 10:00:00', at],
    ['2026-01-31 10:00:00 UTC', at],
    ['2026-01-31T10:00', at],
    ['2026-01-31T10:00:00.250', at + 250],
    ['2026-01-31T11:00:00+01:00', at],
    ['2026-01-31T05:00:00-0500', at],
    ['2026-01-31', Date.UTC(2026, 0, 31)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    [printTime(at), at],
  ])('%s is UTC where it names no zone', (text, expected) => {
    expect(time(text)).toBe(expected);
  });

  it('is UTC wherever the user is', () => {
    const program = `const { time } = await import('${source('../src/arguments.ts')}');
      for (const text of ['2026-01-31T10:00:00', '2026-01-31 10:00:00', '2026-01-31']) console.log(new Date(time(text)).toJSON());`;
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', source('../../../tools/source-loader.mjs'), '--input-type=module', '-e', program],
      { encoding: 'utf8', env: { ...process.env, TZ: 'America/New_York' } },
    );
    const ten = '2026-01-31T10:00:00.000Z\n';
    expect({ stdout, stderr }).toEqual({ stdout: `${ten}${ten}2026-01-31T00:00:00.000Z\n`, stderr: '' });
  });

  it.each([
    '2026-02-30',
    '2026-02-29T10:00:00Z',
    '2026-04-31 10:00',
    '2026-13-01',
    '2026-01-31T25:00',
    '2026-01-31 10',
  ])('%s is refused', (text) => {
    expect(() => time(text)).toThrow('It is a time like');
  });
});

it.each([
  ['retention.ms', true],
  ['retention.bytes', true],
  ['local.retention.ms', true],
  ['delete.retention.ms', true],
  ['cleanup.policy', true],
  ['retention', true],
  ['messageTTL', true],
  ['backlogQuota', true],
  ['max.message.bytes', false],
  ['compression.type', false],
  ['deduplication', false],
  ['compactionThreshold', false],
])('a change of %s may delete messages: %s', (name, may) => {
  expect(mayDelete([name])).toBe(may);
});

/** As it is shown with --json. */
const dataOf = (body: string): unknown => {
  const message = { id: 'i', type: 't', source: 's', time: 0, headers: {}, body: Buffer.from(body) };
  return (seenJson({ topic: 't', position: '1', message }) as { readonly data: unknown }).data;
};

describe('the body of a message in JSON', () => {
  it.each(['{"tel":"+49 12345678901234567890"}', '{"a":"\\"12345678901234567890","b":1}', '"12345678901234567890"'])(
    '%s is a value, whatever its texts hold',
    (body) => {
      expect(dataOf(body)).toEqual(JSON.parse(body));
    },
  );

  it.each(['{"a":"x","n":12345678901234567890}', '12345678901234567890', '[1,-0.12345678901234567890]'])(
    '%s stays text, as JavaScript would change its number',
    (body) => {
      expect(dataOf(body)).toBe(body);
    },
  );
});

const message = (id: string): TrailMessage => ({
  id,
  correlationId: 'c',
  type: 'a.b',
  topic: 'orders',
  time: 0,
  steps: [],
  forgotten: 0,
});

const leaf = (id: string): TrailBranch<TrailMessage> => ({ message: message(id), caused: [] });

describe('a trail', () => {
  const output = new Output({ out: gather(), err: gather(), env: {} }, false);

  it('is JSON and text, each message before those that it caused', () => {
    const tree = {
      ancestors: [message('a')],
      message: message('b'),
      caused: [{ message: message('c'), caused: [leaf('d')] }, leaf('e')],
    };
    const json = JSON.parse(trailJson({ tree, complete: true, messages: [message('b')] }));
    expect(json).toMatchObject({
      complete: true,
      messages: 1,
      ancestors: [{ id: 'a' }],
      message: {
        id: 'b',
        time: '1970-01-01T00:00:00.000Z',
        caused: [
          { id: 'c', caused: [{ id: 'd', caused: [] }] },
          { id: 'e', caused: [] },
        ],
      },
    });
    const lines = trailText(tree, output).trimEnd().split('\n');
    const shown = lines.map((line) => line.replace(/^1970-01-01 00:00:00 {2}/, '').replace(/ {2}orders$/, ''));
    expect(shown).toEqual(['  a.b  a', '  * a.b  b', '      a.b  c', '        a.b  d', '      a.b  e']);
    expect(trailJson({ tree: undefined, complete: false, messages: [] })).toBe('{"complete":false,"messages":0}');
  });

  it('is shown however long the chain is', () => {
    let branch = leaf('last');
    for (let i = 0; i < 50_000; i += 1) branch = { message: message(`${i}`), caused: [branch] };
    const tree = { ...branch, ancestors: [] };
    expect(trailJson({ tree, complete: true, messages: [] })).toContain('"id":"last"');
    expect(trailText(tree, output).trimEnd().split('\n')).toHaveLength(50_001);
  });
});

it('tells of a server that cannot be asked without the user and password of its URL', async () => {
  const web = { url: 'http://user:s3cret@127.0.0.1:1', headers: {}, signal: new AbortController().signal };
  const asked = getJson({ ...web, timeoutMs: 5_000 }, 'subjects', 'list the schemas');
  const error = await asked.catch((reason: unknown) => reason);
  expect(isBentoError(error, 'CONNECTION')).toBe(true);
  expect(String(error)).toContain('cannot list the schemas at http://127.0.0.1:1');
  expect(String(error)).not.toMatch(/user|s3cret/);
});

it('looks at recorded failures without making their table, and says where it is missing', async () => {
  const made: string[] = [];
  const store = {
    ensure: async () => void made.push('table'),
    find: () => Promise.reject(new BentoError('CONFIGURATION', 'no table')),
  } as unknown as ReadModelStore;
  await expect(recordedFailures(store)).rejects.toThrow(/cannot look at projections: the store has no table .* Start/);
  expect(made).toEqual([]);
});
