// `serve` as a user starts it.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Folders, run, start, until } from './cli.ts';

const folders = new Folders();
afterAll(() => folders.remove());

describe('serve', () => {
  it('imports the sample, says where it answers, keeps others off, and drains on a signal', async () => {
    const data = join(await folders.make(), 'data');
    const serving = start(['serve', '--sample', '--port', '0', '--data', data], { env: { NOTIFIER: 'failing' } });
    const { child, written, ended } = serving;
    await until('it answers', () => written.stderr.includes('answers at') || child.exitCode !== null);
    const url = /answers at (http:\/\/127\.0\.0\.1:\d+)/.exec(written.stderr)?.[1];
    if (url === undefined) throw new Error(written.stderr);
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const statistics = (await (await fetch(`${url}/api/statistics`)).json()) as { orders: number };
    expect(statistics.orders).toBe(1_968);

    const { port } = new URL(url);
    const [same, taken] = await Promise.all([
      run(['orders', '--data', data]),
      run(['serve', '--port', port, '--data', join(await folders.make(), 'other')]),
    ]);
    expect(same).toMatchObject({ code: 1, stdout: '' });
    expect(same.stderr).toBe(
      `order-app: cannot open ${data}: process ${child.pid} serves it at ${url}. Use that, or end it first, or give another --data.\n`,
    );
    expect(taken).toMatchObject({ code: 1, stdout: '' });
    expect(taken.stderr).toBe(
      `order-app: cannot listen on 127.0.0.1, port ${port}: somebody listens there already. Give another --port; 0 takes any that is free.\n`,
    );
    child.kill('SIGTERM');
    const { code, stdout } = await ended;
    expect({ code, stdout }).toEqual({ code: 143, stdout: '' });
    await expect(access(join(data, 'bento-endpoint.json'))).rejects.toThrow('ENOENT');
  });
});
