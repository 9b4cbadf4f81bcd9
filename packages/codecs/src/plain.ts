let nodesLeft = 0;

/**
 * True when `JSON.stringify` and `JSON.parse` carry this value whole. False means "look closer", not "wrong": dates that are not
 * valid, numbers beyond the safe integers, minus zero, unusual keys and everything that is no plain data go the slow, exact way.
 * One pass, no allocation, because every message pays for it. `maxNodes` ends the walk over shared structure, which grows with the
 * power of its depth.
 */
export function isPlainJson(value: unknown, maxDepth: number, maxNodes: number): boolean {
  nodesLeft = maxNodes;
  return walk(value, maxDepth);
}

function walk(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number')
    return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER && !Object.is(value, -0);
  return typeof value === 'object' && walkObject(value, depth);
}

function walkObject(value: object, depth: number): boolean {
  if (depth === 0) return false;
  const record = value as Readonly<Record<string, unknown>>;
  if (Array.isArray(value)) {
    nodesLeft -= value.length;
    if (nodesLeft < 0 || record['toJSON'] !== undefined) return false;
    for (let i = 0; i < value.length; i += 1) if (!walk(value[i], depth - 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype) return prototype === Date.prototype && isUsualDate(value as Date);
  if (record['toJSON'] !== undefined) return false;
  // Inherited keys would be ones that somebody added to Object.prototype: at worst they send the value the exact way.
  for (const key in record) {
    nodesLeft -= 1;
    if (nodesLeft < 0 || key === '__proto__' || key === 'constructor') return false;
    const item = record[key];
    if (item !== undefined && !walk(item, depth - 1)) return false;
  }
  return true;
}

const isUsualDate = (date: Date): boolean => !Number.isNaN(date.getTime()) && !Object.hasOwn(date, 'toJSON');
