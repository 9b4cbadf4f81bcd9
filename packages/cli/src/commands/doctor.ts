import type { Finding } from '@bento-bus/core';
import { counted, exitCodes, printable } from '@bento-bus/runtime/terminal';
import { type Command, Option } from 'commander';
import { example } from '../arguments.ts';
import { diagnoses } from '../connection/diagnoses.ts';
import type { Output } from '../output/output.ts';
import type { Acting } from '../program.ts';

export function addDoctor(program: Command, act: Acting): void {
  example(
    program
      .command('doctor')
      .description(
        'look at configuration, servers, store, schemas and application, and say what to do; changes nothing, exits with 1 where something does not work',
      )
      .addOption(new Option('--quiet', 'only what needs something done'))
      .action(
        act(async (work, { quiet = false }: { readonly quiet?: boolean }) => {
          const all: Finding[] = [];
          for await (const finding of diagnoses(work)) {
            all.push(finding);
            if (!work.output.json && !(quiet && finding.level === 'ok'))
              work.output.raw(findingText(finding, work.output));
          }
          const faults = all.filter(({ level }) => level === 'fault').length;
          const warnings = all.filter(({ level }) => level === 'warning').length;
          work.output.result({ healthy: faults === 0, faults, warnings, findings: all }, () =>
            faults + warnings === 0
              ? `All is well: ${counted(all.length, 'check')}.\n`
              : `${counted(faults, 'fault')}, ${counted(warnings, 'warning')}, ${counted(all.length, 'check')}.\n`,
          );
          return faults === 0 ? exitCodes.ok : exitCodes.failure;
        }),
      ),
    'bento doctor',
    'bento doctor --backend kafka --json',
  );
}

const width = 'warning'.length;

/** A line, and under it what to do. */
function findingText({ check, level, found, advice }: Finding, { colours }: Output): string {
  const paint = { ok: colours.green, warning: colours.yellow, fault: colours.red }[level];
  const line = `${paint(level.padEnd(width))}  ${colours.bold(printable(check))}: ${printable(found)}\n`;
  return advice === undefined ? line : `${line}${' '.repeat(width + 2)}→ ${printable(advice)}\n`;
}
