import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { transportScenarios } from '@bento-bus/conformance';
import { expect, it } from '@jest/globals';
import { inProcess } from './kit.ts';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

it('passes the same kit under node:test as under jest, with the same skips', () => {
  const args = [
    '--conditions=@bento-bus/source',
    '--import',
    path('../../../tools/source-loader.mjs'),
    '--test-reporter=tap',
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...args, path('kit-node-test-child.ts')], {
    encoding: 'utf8',
    // Of this very runner: node:test would take itself for a part of it.
    env: { ...process.env, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const count = (what: string): number => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(stdout)?.[1]);
  expect(count('tests')).toBe(transportScenarios.length);
  expect(count('fail')).toBe(0);
  expect(count('skipped')).toBe(transportScenarios.filter((one) => one.unmet(inProcess) !== undefined).length);
  expect(stdout).toContain('(skipped: the harness cannot restart the backend)');
}, 60_000);
