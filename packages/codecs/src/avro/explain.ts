import { type Fault, FaultError, loneSurrogate } from '../fault.ts';
import { below, kindOf } from '../path.ts';
import { isWellFormed } from '../text.ts';
import type { Inner } from './avsc.ts';

/** Why a value was not written: where, and what it is there. Nothing of the value itself, which avsc's own errors quote. */
export function explain(type: Inner, value: unknown, error: unknown): Fault {
  if (error instanceof FaultError) {
    const { fault } = error;
    const at = fault.problem === loneSurrogate('$').problem ? surrogateAt(value) : undefined;
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

/** Values that are looked at for a place, at most: what is not in the schema, and so was not written, may be without end. */
const mostLooks = 100_000;

/** Where the first string is that UTF-8 cannot carry, as far as it is found. */
function surrogateAt(value: unknown): string | undefined {
  const seen = new WeakSet<object>();
  let left = mostLooks;
  const search = (one: unknown, path: string, depth: number): string | undefined => {
    left -= 1;
    if (typeof one === 'string') return isWellFormed(one) ? undefined : path;
    if (typeof one !== 'object' || one === null || ArrayBuffer.isView(one) || depth > 100) return undefined;
    if (left < 0 || seen.has(one)) return undefined;
    seen.add(one);
    for (const key of Object.keys(one)) {
      if (left < 0) return undefined;
      if (!isWellFormed(key)) return path;
      const found = search((one as Record<string, unknown>)[key], below(path, key), depth + 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  try {
    return search(value, '$', 0);
  } catch {
    // A getter that throws the second time.
    return undefined;
  }
}
