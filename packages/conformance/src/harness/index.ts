export { createHarness, type HarnessOptions, type HarnessWaitOptions, type TestHarness } from './create-harness.ts';
export type { HarnessRecord, RecordList } from './records.ts';
export type { HarnessClock } from './waiting.ts';
