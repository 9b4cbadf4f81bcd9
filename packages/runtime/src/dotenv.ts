/** What a `.env` file says. */
export interface Dotenv {
  readonly values: Readonly<Record<string, string>>;
  /** Numbers of the lines that say nothing clearly, from 1. */
  readonly badLines: readonly number[];
}

const blank: RegExp = /[ \t]*(?:#[^\n]*)?(?:\n|$)/y;
const head: RegExp = /[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)[ \t]*=[ \t]*/y;
const quoted: RegExp = /(?:"([^"]*)"|'([^']*)'|`([^`]*)`)[ \t]*(?:#[^\n]*)?(?:\n|$)/y;
const bare: RegExp = /(?:([^\s#"'`](?:[^\n#]*[^\s#])?)(?:[ \t]+#[^\n]*)?|#[^\n]*)?[ \t]*(?:\n|$)/y;

/**
 * Reads `NAME=value` lines as `node --env-file` does: an optional `export`, comments after `#`, values in double, single or back
 * quotes over several lines, `\n` in double quotes. What Node drops or cuts without a word, each version in its own way, is a bad
 * line here: a line without `=`, an open quote, a `#` within an unquoted value.
 */
export function parseDotenv(content: string): Dotenv {
  const text = content.replace(/^\ufeff/, '').replaceAll(/\r\n?/g, '\n');
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  const badLines: number[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  while (at < text.length) {
    if (take(blank) !== null) continue;
    const start = at;
    const name = take(head)?.[1];
    const value = name === undefined ? undefined : readValue(take);
    if (name !== undefined && value !== undefined) {
      values[name] = value;
      continue;
    }
    badLines.push(text.slice(0, start).split('\n').length);
    const end = text.indexOf('\n', start);
    at = end === -1 ? text.length : end + 1;
  }
  return { values, badLines };
}

function readValue(take: (pattern: RegExp) => RegExpExecArray | null): string | undefined {
  const match = take(quoted);
  if (match !== null) return match[1]?.replaceAll('\\n', '\n') ?? match[2] ?? match[3];
  const plain = take(bare);
  return plain === null ? undefined : (plain[1] ?? '');
}
