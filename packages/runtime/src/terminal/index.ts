export { type CommandLineOptions, runCommandLine } from './command-line.ts';
export { counted, printCount } from './counts.ts';
export { exitCodes, explain, UsageError } from './errors.ts';
export { createOutput, type Output, type TextOutput, writerTo } from './output.ts';
export { type ProgramOptions, runProgram, type Terminal } from './program.ts';
export { createProgress, type Progress, type ProgressOptions } from './progress.ts';
export { type Cell, type Column, facts, printable, table } from './table.ts';
