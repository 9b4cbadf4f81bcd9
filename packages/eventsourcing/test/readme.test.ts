import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { expect, it, jest } from '@jest/globals';

it('runs the example of the README, which prints what its comments say', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  const module = new URL('../tmp/readme-test/example.ts', import.meta.url);
  await mkdir(new URL('.', module), { recursive: true });
  await writeFile(module, example);
  const printed: string[] = [];
  const log = jest.spyOn(console, 'log').mockImplementation((value: unknown) => {
    printed.push(inspect(value, { breakLength: 200 }));
  });
  await import(module.href);
  log.mockRestore();
  expect(printed).toEqual([...example.matchAll(/^\/\/ (\[.*)$/gm)].map(([, text]) => text));
  expect(printed).toHaveLength(2);
});
