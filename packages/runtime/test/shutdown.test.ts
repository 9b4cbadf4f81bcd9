// A real process gets real signals: the child is this package and the in-process bus, compiled by the test.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');

const program = (handlerMs: number, deadlineMs: number): string => `
  import { closeOnSignal, createContainer } from '@bento-bus/runtime';
  import { createInProcessTransport } from '@bento-bus/inprocess-bus';
  const handled = [];
  const container = createContainer({ transport: () => createInProcessTransport() });
  const transport = await container.get('transport');
  closeOnSignal({ deadlineMs: ${deadlineMs}, close: async () => {
    await container.close();
    process.stdout.write('handled ' + handled.join() + '\\n');
  } });
  await transport.subscribe(['t'], async (delivery) => {
    process.stdout.write('started ' + delivery.message.id + '\\n');
    await new Promise((resolve) => setTimeout(resolve, ${handlerMs}));
    handled.push(delivery.message.id);
  }, { group: 'g', drainMs: 60_000 });
  const message = (id) => ({ id, type: 'x', source: 's', time: Date.now(), key: 'k', headers: {}, body: null });
  await transport.publish('t', [message('1'), message('2')]);
`;

const start = (
  handlerMs: number,
  deadlineMs: number,
): { child: ChildProcess; output: () => string; seen: (text: string) => Promise<void> } => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program(handlerMs, deadlineMs)], { cwd: root });
  let output = '';
  const add = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  const seen = async (text: string): Promise<void> => {
    while (!output.includes(text)) await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data')]);
  };
  return { child, output: () => output, seen };
};

beforeAll(() => {
  for (const project of ['tsconfig.lib.json', '../inprocess-bus/tsconfig.lib.json']) {
    const { status, stdout } = spawnSync('npx', ['tsc', '-b', project], { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(stdout);
  }
}, 120_000);

describe('closeOnSignal in a real process', () => {
  it('drains on SIGTERM in the middle of a handler: that one is handled, once, and the exit code is 0', async () => {
    const { child, output, seen } = start(400, 20_000);
    await seen('started 1');
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(output()).toMatch(/^handled 1$/m);
    expect(output().match(/started/g)).toHaveLength(1);
  });

  it('exits with 1 and says so when the drain takes longer than its deadline', async () => {
    const { child, output, seen } = start(60_000, 100);
    await seen('started 1');
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(1);
    expect(output()).toContain('the drain took longer than 100 ms');
  });

  it('stops at once on the second signal, with the code of a shell', async () => {
    const { child, seen } = start(60_000, 20_000);
    await seen('started 1');
    child.kill('SIGINT');
    await seen('draining');
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(code).toBe(130);
  });
});
