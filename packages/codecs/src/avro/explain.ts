import { type Fault, FaultError, loneSurrogate } from '../fault.ts';
import { below, kindOf } from '../path.ts';
import { isWellFormed } from '../text.ts';
import type { Inner } from './avsc.ts';

/** Why a value was not written: where, and what it is there. Nothing of the value itself, which avsc's own errors quote. */
export function explain(type: Inner, value: unknown, error: unknown): Fault {
  if (error instanceof FaultError) {
    const { fault } = error;
    const at = fault.problem === loneSurrogate('$').problem ? surrogateIn(value, '$') : undefined;
    return { ...fault, at: at ?? '$' };
  }
  let found: Fault | undefined;
  try {
    type.isValid(value, {
      errorHook: (path: readonly string[], item: unknown, wanted: Inner) => {
        found ??= faultOf(path.reduce(below, '$'), item, wanted);
      },
    });
  } catch {
    // A value that throws, or that two branches of a union take: what was found until then is all there is.
  }
  return found ?? { at: '$', problem: 'the value does not fit its schema', advice };
}

const advice = 'Correct the value, or the schema of its version.';

function faultOf(at: string, item: unknown, wanted: Inner): Fault {
  const name = nameOf(wanted);
  if (wanted.typeName === 'long' && typeof item === 'number' && Number.isInteger(item))
    return {
      at,
      problem: 'an integer beyond 2^53, which a number does not hold without loss',
      advice: "Pass a bigint with longs: 'bigint'.",
    };
  return { at, problem: `${kindOf(item)} where the schema has ${name}`, advice };
}

/** What the schema wants, as its author calls it. */
function nameOf(type: Inner): string {
  const kind = type.typeName.replace(/^[^:]*:/, '');
  if (type.typeName.startsWith('union:')) return `one of ${(type.types ?? []).map(nameOf).join(', ')}`;
  return type.name === undefined ? kind : `${kind} ${type.name}`;
}

/** Where the first string is that UTF-8 cannot carry. Such a value has been written up to there, so it ends. */
function surrogateIn(value: unknown, path: string, depth = 0): string | undefined {
  if (typeof value === 'string') return isWellFormed(value) ? undefined : path;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || depth > 100) return undefined;
  for (const [key, item] of Object.entries(value)) {
    if (!isWellFormed(key)) return path;
    const found = surrogateIn(item, below(path, key), depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
