/**
 * Headers by which @bento-bus/dlq tells what a copy is; its `failureHeaders`. They are repeated here since features do not depend on each other;
 * tools/delivery has the test that they are the same.
 */
export const copyHeaders = {
  attempts: 'bento-attempts',
  delays: 'bento-delays',
  parked: 'bento-parked',
  lastFailed: 'bento-last-failed',
  originTopic: 'bento-origin-topic',
  originGroup: 'bento-origin-group',
  reason: 'bento-reason',
  errorCode: 'bento-error-code',
  error: 'bento-error',
  redriven: 'bento-redriven',
  redriveRun: 'bento-redrive-run',
} as const;
