import base from '../../tools/jest.int.mjs';

export default {
  ...base,
  displayName: 'kafka-adapter',
  testPathIgnorePatterns: [...base.testPathIgnorePatterns, '/test/platformatic/'],
};
