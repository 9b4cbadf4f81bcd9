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

  it('says what to install when the package of a backend is missing', async () => {
    const missing = 'not-installed-anywhere';
    const runtime = createRuntime({
      backend: 'pulsar',
      backends: {
        pulsar: async () => {
          // What Node says for an import of a package that is not there.
          throw Object.assign(new Error(`Cannot find package '${missing}' imported from app.js`), {
            code: 'ERR_MODULE_NOT_FOUND',
          });
        },
      },
    });
    await expect(runtime.createTransport()).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringContaining(`npm install ${missing}`),
    });
  });
});
