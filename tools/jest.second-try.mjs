import { jest } from '@jest/globals';

// Decision 18: against real servers on a busy machine a test that fails is tried once more. What it failed with is printed, and those
// that pass at the second try are named at the end of `npm run test:brokers`. Long runs, which look for rare faults, have no second try.
if (process.env.LONG === undefined) jest.retryTimes(1, { logErrorsBeforeRetry: true });
