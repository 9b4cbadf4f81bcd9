import { fileURLToPath } from 'node:url';
import base from './jest.base.mjs';

/**
 * Suites against real servers: `npm run test:brokers`. One file at a time, since the servers share the machine's cores.
 * @type {import('jest').Config}
 */
export default {
  ...base,
  testMatch: ['<rootDir>/test/**/*.int.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  setupFilesAfterEnv: [fileURLToPath(new URL('jest.second-try.mjs', import.meta.url))],
  testTimeout: 60_000,
  maxWorkers: 1,
  reporters: [
    'default',
    [fileURLToPath(new URL('jest-reporter.mjs', import.meta.url)), { file: 'tmp/broker-results.json' }],
  ],
};
