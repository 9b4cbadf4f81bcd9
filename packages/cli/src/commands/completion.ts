import { Argument, type Command } from 'commander';
import { example } from '../arguments.ts';
import { bashScript, fishScript, type Node, zshScript } from '../output/completion.ts';
import type { Acting } from '../program.ts';

const shells = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export function addCompletion(program: Command, act: Acting): void {
  example(
    program
      .command('completion')
      .description('print the completion of a shell')
      .addArgument(new Argument('<shell>').choices(Object.keys(shells)))
      .action(
        act(async (work, shell: keyof typeof shells) => {
          const script = shells[shell](treeOf(program));
          work.output.result({ shell, script }, () => script);
        }),
      ),
    'source <(bento completion bash)',
    'bento completion fish > ~/.config/fish/completions/bento.fish',
  );
}

/** The commands as they are, so that none is forgotten. */
function treeOf(command: Command): Node {
  const help = command.createHelp();
  return {
    names: [command.name(), ...command.aliases()],
    about: command.description(),
    options: help.visibleOptions(command).flatMap(({ long, short, description, argChoices, required, optional }) =>
      long === undefined
        ? []
        : [
            {
              long,
              ...(short && { short }),
              about: description,
              choices: argChoices ?? [],
              takesValue: required || optional,
            },
          ],
    ),
    arguments: command.registeredArguments.map(({ argChoices }) => argChoices ?? []),
    commands: command.commands.map(treeOf),
  };
}
