import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { codecNames } from '../src/codec-names.ts';
import { type Figures, Folders, generator, importJson, run } from './cli.ts';

const folders = new Folders();
afterAll(() => folders.remove());

it('an import gives the same figures with every codec', async () => {
  const folder = await folders.make();
  const file = join(folder, 'invoices.csv');
  execFileSync(process.execPath, [generator, '--invoices', '150', '--lines', '3', '--seed', '5', '--out', file]);
  const figures = async (codec: string): Promise<Omit<Figures, 'seconds'>> => {
    const { seconds: _, ...others } = await importJson(file, join(folder, codec), { env: { MESSAGE_CODEC: codec } });
    return others;
  };
  const all = await Promise.all(codecNames.map(figures));
  const [json, avro, protobuf] = all;
  expect(json).toMatchObject({ newEvents: 150, lines: expect.any(Number), rejectedRows: 0 });
  expect([avro, protobuf]).toEqual([json, json]);
});

it('a codec that nobody knows is refused with the known ones', async () => {
  const { code, stderr } = await run(['orders', '--data', await folders.make()], { env: { MESSAGE_CODEC: 'xml' } });
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/MESSAGE_CODEC.*json.*avro.*protobuf/) });
});
