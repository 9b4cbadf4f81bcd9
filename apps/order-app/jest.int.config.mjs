import base from '../../tools/jest.int.mjs';

export default { ...base, displayName: 'order-app', globalSetup: '<rootDir>/test/build.mjs', testTimeout: 180_000 };
