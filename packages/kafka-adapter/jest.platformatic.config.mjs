import base from '../../tools/jest.int.mjs';

/** In a long run all suites, with leaders that are killed. */
const suites = process.env.LONG === undefined ? ['conformance', 'platformatic/*'] : ['**/*'];

export default {
  ...base,
  displayName: 'kafka-adapter on @platformatic/kafka',
  testMatch: suites.map((name) => `<rootDir>/test/${name}.int.test.ts`),
};
