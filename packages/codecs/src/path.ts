const identifier: RegExp = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

/** Below a path: a field, a key or, of digits alone, an index. */
export const below = (path: string, key: string): string => {
  if (identifier.test(key)) return `${path}.${key}`;
  return /^\d{1,15}$/.test(key) ? `${path}[${key}]` : `${path}[${JSON.stringify(key)}]`;
};

/** What a value is, without showing it. */
export function kindOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Uint8Array) return 'bytes';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number';
  if (typeof value === 'object') {
    const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
    return typeof name === 'string' && name !== '' && name !== 'Object' ? `an instance of ${name}` : 'an object';
  }
  return `a ${typeof value}`;
}
