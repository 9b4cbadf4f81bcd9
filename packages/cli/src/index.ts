export type { TextOutput } from '@bento-bus/runtime/terminal';
export type { BentoIo } from './io.ts';
export { runBento } from './run.ts';
