import type { FoundTrail, TrailBranch, TrailMessage, TrailStep, TrailTree } from '@bento-bus/observability';
import { printable } from '@bento-bus/runtime/terminal';
import type { Output } from './output.ts';
import { isoTime, printTime } from './time.ts';

const stepJson = ({ at, ...step }: TrailStep): object => ({ ...step, at: isoTime(at) });
const messageJson = ({ time, steps, forgotten, ...message }: TrailMessage): object => ({
  ...message,
  time: isoTime(time),
  steps: steps.map(stepJson),
  ...(forgotten > 0 && { forgotten }),
});

/** The document, in which a message holds those that it caused, however long the chain is: JSON.stringify ends at some depth. Times are ISO 8601. */
export function trailJson({ tree, complete, messages }: FoundTrail): string {
  const about = { complete, messages: messages.length };
  if (tree === undefined) return JSON.stringify(about);
  const parts = [opened({ ...about, ancestors: tree.ancestors.map(messageJson) }), ',"message":'];
  const waiting: (TrailBranch<TrailMessage> | string)[] = [tree];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string') {
      parts.push(next);
      continue;
    }
    parts.push(opened(messageJson(next.message)), ',"caused":[');
    waiting.push(']}');
    for (const [i, one] of next.caused.toReversed().entries()) {
      if (i > 0) waiting.push(',');
      waiting.push(one);
    }
  }
  return `${parts.join('')}}`;
}

/** An object's JSON that can go on. */
const opened = (value: object): string => JSON.stringify(value).slice(0, -1);

/** Further in nothing can be read. */
const deepest = 50;

/** A line a message, below it what became of it; what it caused stands further in. */
export function trailText(tree: TrailTree<TrailMessage> | undefined, { colours }: Output): string {
  if (tree === undefined) return '';
  const lines: string[] = [];
  const add = (depth: number, message: TrailMessage, isWanted: boolean): void => {
    const indent = '  '.repeat(Math.min(depth, deepest));
    const { id, type, topic, key, stream, time, steps } = message;
    const of = stream === undefined ? '' : `  ${stream.type}/${stream.id} ${stream.version}`;
    const head = printable(`${type}  ${id}  ${topic}${key === undefined ? '' : `  ${key}`}${of}`);
    lines.push(`${colours.dim(printTime(time))}  ${indent}${isWanted ? colours.bold(`* ${head}`) : `  ${head}`}`);
    for (const step of steps)
      if (step.kind !== 'sent') lines.push(`${colours.dim(printTime(step.at))}  ${indent}    ${stepText(step)}`);
  };
  for (const [depth, message] of tree.ancestors.entries()) add(depth, message, false);
  const waiting: [depth: number, branch: TrailBranch<TrailMessage>][] = [[tree.ancestors.length, tree]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [depth, branch] = next;
    add(depth, branch.message, branch === tree);
    for (const one of branch.caused.toReversed()) waiting.push([depth + 1, one]);
  }
  return lines.map((line) => `${line}\n`).join('');
}

function stepText({ kind, topic, group, attempt, errorCode, error }: TrailStep): string {
  const by = group === undefined ? '' : ` by ${group}`;
  const tries = attempt === undefined ? '' : `, ${attempt} tries`;
  const why = [errorCode, error].filter((text) => text !== undefined).join(': ');
  return printable(`${kind}${by} on ${topic}${tries}${why === '' ? '' : `, ${why}`}`);
}
