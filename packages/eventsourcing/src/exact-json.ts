import { isWellFormed } from './well-formed.ts';

/** A value as JSON text and as it comes back from it, or the path of the first part that JSON would lose or change. */
export type ExactJson = { readonly text: string; readonly value: unknown } | { readonly inexactAt: string };

/** Deepest nesting; deeper data would be stored, and then refused by the codecs that publish it. */
const maxDepth = 64;

/**
 * Through JSON, exactly: bigint, Date, Map, NaN, undefined in an array and whatever else would come back as something different is
 * refused, and so is what could not be published (ill-formed text, a key `__proto__`, more than 64 levels). A property that is
 * undefined counts as absent; instances of classes come back as plain objects.
 */
export function exactJson(value: unknown): ExactJson {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // A bigint, a cycle, or deeper than the stack.
  }
  if (text === undefined) return { inexactAt: 'data' };
  const parsed: unknown = JSON.parse(text);
  const inexactAt = difference(value, parsed, 'data', maxDepth);
  return inexactAt === undefined ? { text, value: parsed } : { inexactAt };
}

function difference(before: unknown, after: unknown, path: string, depth: number): string | undefined {
  if (typeof before === 'string') return before === after && isWellFormed(before) ? undefined : path;
  if (typeof before !== 'object' || before === null) return before === after ? undefined : path;
  const tag = Array.isArray(before) ? '[object Array]' : '[object Object]';
  const isKept = [before, after].every((one) => Object.prototype.toString.call(one) === tag);
  if (!isKept || depth === 0) return path;
  const old = Object.entries(before).filter(([, value]) => value !== undefined);
  const now = Object.entries(after as object);
  if (old.length !== now.length) return path;
  // JSON keeps the order of properties.
  for (const [index, [name, value]] of old.entries()) {
    const [nameNow, valueNow] = now[index] ?? [];
    if (name !== nameNow || name === '__proto__' || !isWellFormed(name)) return path;
    const found = difference(value, valueNow, `${path}.${name}`, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
