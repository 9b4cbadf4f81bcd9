// Servers of the stack as processes: started, watched, ended. The server is a fake one, all else is real.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { identityOf, isAlive } from '../stack/src/identity.mjs';
import { poll } from '../stack/src/poll.mjs';
import { startServer } from '../stack/src/start.mjs';
import { fakeKind } from './support/fake-kind.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'bento-stack-test-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let folders = 0;
const folder = () => join(scratch, String((folders += 1)));
const owner = fileURLToPath(new URL('support/fake-kind.mjs', import.meta.url));
const gone = (identity) => poll(() => !isAlive(identity), { deadlineMs: 10_000 });

describe('a server', () => {
  it('gets other ports when another process took one before it did', async () => {
    const base = fakeKind();
    const held = [];
    const prepare = async (context) => {
      if (held.length === 0) {
        held.push(createServer((socket) => socket.destroy()).listen(context.ports.http, '127.0.0.1'));
        await once(held[0], 'listening');
      }
      return base.prepare(context);
    };
    const server = await startServer({ ...base, prepare });
    assert.notEqual(server.ports.http, held[0].address().port);
    held[0].close();
    await server.stop();
  });

  it('is killed, started again on its ports, stopped once, and leaves no folder', async () => {
    const server = await startServer(fakeKind());
    const { pid, dir, ports } = server;
    await server.kill();
    assert.equal(server.running, false);
    await server.restart();
    assert.notEqual(server.pid, pid);
    assert.deepEqual(server.ports, ports);
    await Promise.all([server.stop(), server.stop()]);
    assert.equal(server.running, false);
    assert.ok(!existsSync(dir));
    await assert.rejects(server.restart(), { message: /its folder was removed when it stopped/ });
  });

  it('is started again after a stop when its folder was given, and another one is refused there', async () => {
    const dir = folder();
    const server = await startServer(fakeKind(), { dir });
    await assert.rejects(startServer(fakeKind(), { dir }), { message: /process \d+ already serves/ });
    await server.stop();
    await server.restart();
    assert.equal(server.running, true);
    await server.stop();
    assert.ok(existsSync(dir));
  });

  it('that passes over SIGTERM or is paused is stopped all the same', async () => {
    const stubborn = await startServer(fakeKind('stubborn'));
    await stubborn.stop();
    assert.equal(stubborn.running, false);
    const paused = await startServer(fakeKind());
    paused.pause();
    await paused.stop();
    assert.equal(paused.running, false);
    assert.throws(() => paused.resume(), {
      message: 'stack: cannot resume "fake": it does not run. Start it with restart().',
    });
  });

  it('that dies is reported with its last log lines', async () => {
    await assert.rejects(startServer(fakeKind('die')), {
      message: 'stack: cannot start "fake": the server died. Its last log lines:\n  ERROR the disk is on fire',
    });
  });

  it('that is not ready in time, or not wanted any more, is ended', async () => {
    const dir = folder();
    const kind = fakeKind('never-ready');
    await assert.rejects(startServer(kind, { dir, readyTimeoutMs: 300 }), {
      message: /it was not ready within 300 ms/,
    });
    const { pid } = JSON.parse(readFileSync(join(dir, 'server.json'), 'utf8')).identity ?? {};
    assert.equal(pid, undefined);
    const wanted = AbortSignal.timeout(300);
    await assert.rejects(startServer(kind, { dir, signal: wanted }), { name: 'TimeoutError' });
  });

  for (const [how, mode, signal] of [
    ['ends', 'end'],
    ['throws', 'throw'],
    ['is killed', 'wait', 'SIGKILL'],
    ['is interrupted', 'wait', 'SIGINT'],
  ])
    it(`dies, and its folder goes, when the process that started it ${how}`, async () => {
      const child = spawn(process.execPath, [owner, mode], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [line] = await once(child.stdout, 'data');
      const { pid, dir } = JSON.parse(String(line));
      const server = identityOf(pid);
      if (signal) child.kill(signal);
      assert.ok(await gone(server));
      assert.ok(await poll(() => !existsSync(dir), { deadlineMs: 10_000 }));
    });
});
