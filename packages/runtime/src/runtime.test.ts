import type { Transport } from '@bento-bus/core';
import { createInProcessTransport } from '@bento-bus/inprocess-bus';
import { describe, expect, it } from '@jest/globals';
import { createRuntime } from './runtime.ts';

const inprocess = async (): Promise<Transport> => createInProcessTransport();

describe('createRuntime', () => {
  it('makes the transport of the chosen backend and loads no other', async () => {
    let loaded = 0;
    const runtime = createRuntime({
      backend: 'inprocess',
      backends: {
        inprocess,
        pulsar: () => {
          loaded += 1;
          return inprocess();
        },
      },
    });
    await using transport = await runtime.createTransport();
    expect(transport.capabilities.sharesGroupAcrossProcesses).toBe(false);
    expect(loaded).toBe(0);
  });

  it.each(['x', 'toString', ''])('refuses the unknown backend "%s" and names the known ones', (backend) => {
    expect(() => createRuntime({ backend, backends: { inprocess, kafka: inprocess } })).toThrow(
      `Unsupported message bus type: "${backend}"; known: inprocess, kafka`,
    );
  });
});
