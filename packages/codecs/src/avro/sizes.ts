import type { Inner } from './avsc.ts';

/**
 * The smallest number of bytes that a value of the type takes. A type that holds itself counts as nothing within itself: the result may be
 * too small, and is never too large.
 */
export function leastSize(type: Inner, known: Map<Inner, number> = new Map()): number {
  const before = known.get(type);
  if (before !== undefined) return before;
  known.set(type, 0);
  const size = compute(type, known);
  known.set(type, size);
  return size;
}

function compute(type: Inner, known: Map<Inner, number>): number {
  const { typeName } = type;
  if (typeName.startsWith('logical:')) return leastSize(type.underlyingType as Inner, known);
  if (typeName.startsWith('union:'))
    return 1 + Math.min(...(type.types ?? []).map((branch) => leastSize(branch, known)));
  if (typeName === 'record' || typeName === 'error')
    return (type.fields ?? []).reduce((sum, field) => sum + leastSize(field.type, known), 0);
  if (typeName === 'fixed') return type.size ?? 0;
  return sizes.get(typeName) ?? 1;
}

/** All others take at least the byte of a number: a length, an index, the end of the blocks. */
const sizes: ReadonlyMap<string, number> = new Map([
  ['null', 0],
  ['float', 4],
  ['double', 8],
]);
