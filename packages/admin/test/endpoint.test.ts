import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newToken, readEndpoint, writeEndpoint } from '../src/index.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'bento-endpoint-'));
});
afterEach(() => rm(dir, { recursive: true }));

const file = (): string => join(dir, 'bento-endpoint.json');

describe('the endpoint of an application', () => {
  it('is found while its process lives, and is its user’s only', async () => {
    const endpoint = { url: 'http://127.0.0.1:3000', token: newToken() };
    const remove = await writeEndpoint(dir, endpoint);
    expect(await readEndpoint(dir)).toEqual({ ...endpoint, pid: process.pid });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    await remove();
    expect(await readEndpoint(dir)).toBeUndefined();
  });

  it('is not found of a process that is gone, nor what is no endpoint', async () => {
    const gone = spawnSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).stdout;
    await writeFile(file(), JSON.stringify({ url: 'http://127.0.0.1:1', token: 'x', pid: Number(gone) }));
    expect(await readEndpoint(dir)).toBeUndefined();
    await writeFile(file(), '{"url":');
    expect(await readEndpoint(dir)).toBeUndefined();
  });

  it('stays when another has taken the place', async () => {
    const remove = await writeEndpoint(dir, { url: 'http://127.0.0.1:1', token: 'first' });
    await writeEndpoint(dir, { url: 'http://127.0.0.1:2', token: 'second' });
    await remove();
    expect(JSON.parse(await readFile(file(), 'utf8'))).toMatchObject({ token: 'second' });
  });
});
