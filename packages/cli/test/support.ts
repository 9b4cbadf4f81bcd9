import { Readable } from 'node:stream';
import { type BentoIo, runBento, type TextOutput } from '../src/index.ts';

/** What a command line did. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Gathers what is written. */
export function gather(isTTY = false): TextOutput & { readonly text: string } {
  let text = '';
  return {
    isTTY,
    write: (part: string) => {
      text += part;
    },
    get text() {
      return text;
    },
  };
}

export type Given = Partial<BentoIo> & { readonly stdin?: string; readonly terminal?: boolean };

/** Runs a command line in this process, with nothing of its environment. */
export async function bento(
  argv: readonly string[],
  { stdin = '', terminal = false, ...given }: Given = {},
): Promise<Outcome> {
  const out = gather(terminal);
  const err = gather(terminal);
  const input = Object.assign(Readable.from([stdin]), { isTTY: terminal });
  const code = await runBento(argv, { out, err, input, env: {}, cwd: '/nowhere', ...given });
  return { code, out: out.text, err: err.text };
}

/** One JSON document in one line. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what it is, is the test's to know
export function json<T>({ out, err }: Outcome): T {
  try {
    return JSON.parse(out) as T;
  } catch {
    throw new Error(`no JSON: ${JSON.stringify(out)}, ${JSON.stringify(err)}`);
  }
}

/** Looks again until it is so; what `check` throws is thrown at the end of the time. */
export async function eventually(what: string, check: () => Promise<boolean>, deadlineMs = 30_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
