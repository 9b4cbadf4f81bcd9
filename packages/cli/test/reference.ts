import type { Command } from 'commander';
import { ioOf } from '../src/io.ts';
import { createProgram } from '../src/program.ts';

/** The command line as it is. */
export const program = (): Command => createProgram(ioOf({ name: 'bento' })).command;

/** Commands that do something, with those that lead there. */
export function leaves(command: Command, path: readonly string[] = []): readonly { path: string; command: Command }[] {
  return command.commands.flatMap((child) =>
    child.commands.length > 0
      ? leaves(child, [...path, child.name()])
      : [{ path: [...path, child.name()].join(' '), command: child }],
  );
}

/** The list of commands in the README. */
export function reference(): string {
  const rows = leaves(program()).map(({ path, command }) => {
    const args = command.registeredArguments.map((argument) => {
      const shown = `${argument.name()}${argument.variadic ? '...' : ''}`;
      return argument.required ? `<${shown}>` : `[${shown}]`;
    });
    return [`\`${['bento', path, ...args].join(' ')}\``, command.description().replaceAll('|', '\\|')];
  });
  const table = [['Command', 'What it does'], ...rows];
  const widths = [0, 1].map((i) => Math.max(...table.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = table;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)].join('\n');
}
