/** As `Map.groupBy`, which Node 20 lacks. */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Values that one statement takes in a list: beyond some ten thousand the engine takes minutes over one. */
const maxList = 1_000;

/** The items in pieces of {@link maxList} at most. */
export function* pieces<T>(items: Iterable<T>): Generator<T[]> {
  let piece: T[] = [];
  for (const item of items) {
    piece.push(item);
    if (piece.length < maxList) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
}
