/** A command, as far as a shell needs it. */
export interface Node {
  /** Its name, and its aliases. */
  readonly names: readonly string[];
  readonly about: string;
  readonly options: readonly {
    readonly long: string;
    readonly short?: string;
    readonly about: string;
    readonly choices: readonly string[];
    readonly takesValue: boolean;
  }[];
  /** What each argument can be; none: anything. */
  readonly arguments: readonly (readonly string[])[];
  readonly commands: readonly Node[];
}

interface Place {
  /** Names of the commands that lead there, without the program's: `['topics', 'list']`. */
  readonly path: readonly string[];
  readonly node: Node;
}

/** Every command, with its aliases each by itself. */
const places = (node: Node, path: readonly string[] = []): readonly Place[] => [
  { path, node },
  ...node.commands.flatMap((child) => child.names.flatMap((name) => places(child, [...path, name]))),
];

const wordsOf = ({ commands, arguments: [first = []] }: Node): readonly string[] => [
  ...commands.flatMap(({ names }) => names),
  ...first,
];

/** For a case of bash: the commands that lead there, and what may follow. */
const casesOf = (root: Node): string =>
  places(root)
    .map(({ path, node }) => {
      const options = root.options.concat(node.options).flatMap(({ long, short }) => (short ? [long, short] : [long]));
      const unique = [...new Set(['--help', ...options])];
      return `    '${path.join(' ')}') words='${wordsOf(node).join(' ')}'; options='${unique.join(' ')}' ;;`;
    })
    .join('\n');

/** Options whose value is one of a few words, and those that take any value. */
const valuesOf = (root: Node): string => {
  const all = new Map(places(root).flatMap(({ node }) => node.options.map((option) => [option.long, option] as const)));
  return [...all.values()]
    .filter(({ takesValue }) => takesValue)
    .map(({ long, choices }) =>
      choices.length > 0
        ? `    ${long}) COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word")); return ;;`
        : `    ${long}) COMPREPLY=($(compgen -f -- "$word")); return ;;`,
    )
    .join('\n');
};

export const bashScript = (root: Node): string => {
  const known = places(root)
    .map(({ path }) => `'${path.join(' ')}'`)
    .filter((path) => path !== "''")
    .join(' | ');
  return `# Completion of bento for bash: source <(bento completion bash)
_bento() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path='' next words='' options='' i
  case "$before" in
${valuesOf(root)}
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="\${path:+$path }\${COMP_WORDS[i]}"
    case "$next" in
      ${known}) path="$next" ;;
    esac
  done
  case "$path" in
${casesOf(root)}
  esac
  if [[ "$word" == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [[ -n "$words" ]]; then COMPREPLY=($(compgen -W "$words" -- "$word"))
  else COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -F _bento bento
`;
};

/** zsh runs the one of bash. */
export const zshScript = (root: Node): string => `#compdef bento
# Completion of bento for zsh: source <(bento completion zsh)
autoload -U +X bashcompinit && bashcompinit
${bashScript(root)}`;

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

export const fishScript = (root: Node): string => {
  const lines: string[] = [];
  const optionLines = (node: Node, condition: string): void => {
    for (const { long, short, about, choices, takesValue } of node.options)
      lines.push(
        `complete -c bento -n ${quoted(condition)} -l ${long.slice(2)}${short === undefined ? '' : ` -s ${short.slice(1)}`}${
          takesValue ? (choices.length > 0 ? ` -xa ${quoted(choices.join(' '))}` : ' -r') : ''
        } -d ${quoted(about)}`,
      );
  };
  for (const { path, node } of places(root)) {
    const condition = `__bento_at ${path.join(' ')}`.trimEnd();
    for (const child of node.commands)
      for (const name of child.names)
        lines.push(`complete -c bento -n ${quoted(condition)} -fa ${name} -d ${quoted(child.about)}`);
    for (const choice of node.arguments[0] ?? []) lines.push(`complete -c bento -n ${quoted(condition)} -fa ${choice}`);
    if (path.length > 0) optionLines(node, condition);
  }
  optionLines(root, 'true');
  const known = places(root)
    .map(({ path }) => quoted(path.join(' ')))
    .filter((path) => path !== "''")
    .join(' ');
  return `# Completion of bento for fish: bento completion fish > ~/.config/fish/completions/bento.fish
function __bento_at
  set -l path
  for word in (commandline -opc)[2..]
    set -l next (string join ' ' $path $word)
    contains -- "$next" ${known}; and set path $path $word
  end
  test "$path" = "$argv"
end
${lines.join('\n')}
`;
};
