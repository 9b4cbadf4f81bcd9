// A real process gets real signals: the child is this package and the in-process bus, from their sources.
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { startProgram } from './child.ts';

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

describe('closeOnSignal in a real process', () => {
  it('drains on SIGTERM in the middle of a handler: that one is handled, once, and the exit code is 0', async () => {
    const { child, output, seen } = startProgram(program(400, 20_000));
    await seen('started 1');
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(output()).toMatch(/^handled 1$/m);
    expect(output().match(/started/g)).toHaveLength(1);
  });

  it('exits with 1 and says so when the drain takes longer than its deadline', async () => {
    const { child, output, seen } = startProgram(program(60_000, 100));
    await seen('started 1');
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).toBe(1);
    expect(output()).toContain('the drain took longer than 100 ms');
  });

  it('takes the two SIGINTs that npm makes of one Ctrl-C for one', async () => {
    const { child, output, seen } = startProgram(program(400, 20_000));
    await seen('started 1');
    child.kill('SIGINT');
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(output()).toMatch(/^handled 1$/m);
  });

  it('stops at once on a second signal, with the code of a shell', async () => {
    const { child, seen } = startProgram(program(60_000, 50_000));
    await seen('started 1');
    child.kill('SIGINT');
    await seen('draining');
    // As somebody who loses patience.
    const again = setInterval(() => child.kill('SIGINT'), 100);
    const [code] = await once(child, 'close');
    clearInterval(again);
    expect(code).toBe(130);
  });
});

describe('createRuntime in a real process', () => {
  it('says what to install when the package of the chosen backend is missing', async () => {
    const { child, output } = startProgram(`
      import { createRuntime } from '@bento-bus/runtime';
      const backends = { pulsar: () => import('@bento-bus/no-such-adapter').then((adapter) => adapter.create()) };
      await createRuntime({ backend: 'pulsar', backends }).createTransport().catch((error) => console.log(error.code, error.message));
    `);
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    expect(output().trim()).toBe(
      'CONFIGURATION runtime: cannot load the backend "pulsar": the package @bento-bus/no-such-adapter is not installed. Run: npm install @bento-bus/no-such-adapter',
    );
  });
});
