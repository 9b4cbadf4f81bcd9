import base from '../../tools/jest.int.mjs';

export default {
  ...base,
  displayName: 'order-app',
  globalSetup: '<rootDir>/test/build.mjs',
  testTimeout: 180_000,
  // They start a process a command and wait for it: two files at a time.
  maxWorkers: 2,
};
