export type { BentoIo, TextOutput } from './io.ts';
export { runBento } from './run.ts';
