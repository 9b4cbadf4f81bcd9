const tag = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

/** Path and problem of the first thing that JSON would lose or change, or undefined. */
export type Inexact = { readonly path: string; readonly message: string };

/**
 * JSON text of a value that comes back as it is, or what is wrong with it. An event is folded twice: as recorded and as loaded, and
 * both must be the same. So what JSON would silently turn into something else is refused: bigint, Date, Map, Set, bytes, NaN,
 * anything with `toJSON`, undefined in an array. A property that is undefined counts as absent. Class instances come back as plain objects.
 */
export function exactJson(value: unknown): { readonly text: string } | Inexact {
  try {
    const inexact = find(value, '');
    return inexact ?? { text: JSON.stringify(value) };
  } catch (error) {
    // A cycle, or nested deeper than the stack.
    if (error instanceof RangeError || (error as { name?: unknown }).name === 'RangeError')
      return { path: '', message: 'is cyclic or nested too deep' };
    throw error;
  }
}

function find(value: unknown, path: string): Inexact | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'object') return Array.isArray(value) ? findInArray(value, path) : findInObject(value, path);
  if (typeof value === 'number')
    return Number.isFinite(value) ? undefined : { path, message: `is ${value}, which JSON does not know` };
  if (typeof value === 'bigint') return { path, message: 'is a bigint, which JSON does not know: pass it as a string' };
  return { path, message: `is ${value === undefined ? 'undefined' : `a ${typeof value}`}, which JSON leaves out` };
}

function findInArray(value: readonly unknown[], path: string): Inexact | undefined {
  for (let i = 0; i < value.length; i += 1) {
    const found = find(value[i], `${path}[${i}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function findInObject(value: object, path: string): Inexact | undefined {
  const kind = tag(value);
  if (kind === 'Date') return { path, message: 'is a Date: pass epoch milliseconds or an ISO string' };
  if (kind !== 'Object') return { path, message: `is a ${kind}, which JSON does not keep` };
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return { path, message: 'has toJSON, so that it would come back as something else' };
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const found = find(item, path === '' ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
