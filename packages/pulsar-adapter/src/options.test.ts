import { describe, expect, it } from '@jest/globals';
import { type PulsarTransportOptions, resolveOptions } from './options.ts';
import { createPulsarTransport } from './transport.ts';

describe('options', () => {
  it.each<[PulsarTransportOptions, string, string]>([
    [{}, 'pulsar://127.0.0.1:6650', 'http://127.0.0.1:8080'],
    [{ serviceUrl: 'pulsar://broker:6650' }, 'pulsar://broker:6650', 'http://broker:8080'],
    [{ serviceUrl: 'pulsar+ssl://broker:6651' }, 'pulsar+ssl://broker:6651', 'https://broker:8443'],
    [{ serviceUrl: 'http://broker:8081' }, 'pulsar://broker:6650', 'http://broker:8081'],
    [{ serviceUrl: 'wss://broker:8443' }, 'pulsar+ssl://broker:6651', 'https://broker:8443'],
    [{ serviceUrl: 'pulsar://a:6650,b:6650', webUrl: 'ws://web:1' }, 'pulsar://a:6650,b:6650', 'http://web:1'],
  ])('finds both addresses: %j', (options, serviceUrl, webUrl) => {
    expect(resolveOptions(options)).toMatchObject({ serviceUrl, webUrl });
  });

  it('names every fault in one CONFIGURATION error', () => {
    const options = {
      serviceUrl: 'broker',
      driver: 'telnet',
      maxInFlight: 0,
      receiverQueue: 2_000,
      batching: true,
      tenant: 'a/b',
    };
    const fields = ['serviceUrl', 'driver', 'maxInFlight', 'receiverQueue', 'batching', 'tenant'];
    const message = expect.stringMatching(/^pulsar-adapter: cannot create the transport: .*6 faults/);
    const create = (): unknown => createPulsarTransport(options as PulsarTransportOptions);
    expect(create).toThrow(expect.objectContaining({ code: 'CONFIGURATION', message }));
    for (const field of fields) expect(create).toThrow(new RegExp(`\\b${field} (must|needs)`));
  });

  it('connects to nothing before it is used, and closes', async () => {
    const transport = createPulsarTransport({ serviceUrl: 'pulsar://127.0.0.1:1' });
    await transport.close();
    await expect(transport.publish('orders', [])).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
