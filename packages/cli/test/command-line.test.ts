import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { settings } from '../src/connection/config.ts';
import { leaves, program, reference } from './reference.ts';
import { bento } from './support.ts';

const commands = leaves(program());

describe('the command line', () => {
  it('shows what there is, without a command and with --help', async () => {
    const [bare, help] = [await bento([]), await bento(['--help'])];
    expect(bare).toEqual(help);
    expect(help.code).toBe(0);
    expect(help.err).toBe('');
    expect(help.out).toMatchSnapshot();
  });

  it.each(commands.map(({ path }) => path))('%s --help says what it does, with an example', async (path) => {
    const { code, out, err } = await bento([...path.split(' '), '--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`Usage: bento ${path}`);
    expect(out).toMatch(new RegExp(`\\nExamples?:\\n  (?:source <\\()?bento ${path}`));
    expect(out).toContain('--json');
    expect(out).toContain('--timeout');
  });

  it('shows the commands of a group on stderr: exit code 2', async () => {
    const { code, out, err } = await bento(['topics']);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^Usage: bento topics /);
  });

  it('says what it was called as', async () => {
    const { out } = await bento(['topics', 'list', '--help'], { name: 'npm run bento --' });
    expect(out).toContain('  npm run bento -- topics list --prefix ord\n');
  });

  it.each([
    [['nonsense'], /unknown command 'nonsense'/],
    [['topics', 'nonsense'], /unknown command 'nonsense'/],
    [['topics', 'show'], /missing required argument 'topic'/],
    [['topics', 'list', '--nonsense'], /unknown option '--nonsense'/],
    [['tail', 'orders', '--limit', '0'], /whole number from 1/],
    [['tail', 'orders', '--from', 'yesterday'], /It is a time like/],
    [['topics', 'list', '--backend', 'rabbit'], /inprocess, pulsar, kafka/],
    [['topics', 'list', '--timeout', '-1'], /number of seconds/],
    [['topics', 'create', 'x', '--config', 'novalue'], /NAME=VALUE/],
    [['completion', 'tcsh'], /bash, zsh, fish/],
  ])('%j cannot be used: exit code 2, one line on stderr', async (argv, why) => {
    const { code, out, err } = await bento(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(why);
    expect(err).toMatch(/^bento: [^\n]+ See: bento --help\n$/);
  });
});

/** What bash would offer after these words. */
const offered = (script: string, words: readonly string[]): readonly string[] => {
  const line = words.map((word) => `'${word}'`).join(' ');
  const run = `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _bento; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', run], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return stdout.split('\n').filter((word) => word !== '');
};

describe('the completion', () => {
  it('of bash offers commands, options and choices', async () => {
    const { out } = await bento(['completion', 'bash']);
    expect(offered(out, ['bento', 'to'])).toEqual(['topics']);
    expect(offered(out, ['bento', 'topics', ''])).toEqual(['list', 'show', 'create', 'delete', 'partitions', 'config']);
    expect(offered(out, ['bento', '--backend', 'k'])).toEqual(['kafka']);
    expect(offered(out, ['bento', '--json', 'subscriptions', 'r'])).toEqual(['reset']);
    expect(offered(out, ['bento', 'dlq', 'redrive', 'orders', 'mail', '--dry'])).toEqual(['--dry-run']);
    expect(offered(out, ['bento', 'completion', 'f'])).toEqual(['fish']);
  });

  it.each(['bash', 'zsh', 'fish'])('of %s knows every command and every option', async (shell) => {
    const { out } = await bento(['completion', shell]);
    for (const { path, command } of commands) {
      expect(out).toContain(path);
      for (const { long } of command.options) expect(out).toContain(shell === 'fish' ? `-l ${long?.slice(2)}` : long);
    }
  });
});

describe('the README', () => {
  const file = new URL('../README.md', import.meta.url);
  const part = /(?<=<!-- commands -->\n\n).*?(?=\n\n<!-- \/commands -->)/s;

  it('lists the commands as they are (UPDATE_README=1 writes it)', async () => {
    const text = await readFile(file, 'utf8');
    const isUpdate = process.env['UPDATE_README'] === '1';
    if (isUpdate)
      await writeFile(
        file,
        text.replace(part, () => reference()),
      );
    expect(isUpdate ? reference() : part.exec(text)?.[0]).toBe(reference());
  });

  it('names every setting of its own', async () => {
    const text = await readFile(file, 'utf8');
    for (const { env } of settings.filter((one) => one.env.startsWith('SCHEMA_REGISTRY_')))
      expect(text).toContain(`\`${env}\``);
  });
});
