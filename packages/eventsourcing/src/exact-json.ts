/** A value as JSON text and as it comes back from it, or the path of the first part that JSON would lose or change. */
export type ExactJson = { readonly text: string; readonly value: unknown } | { readonly inexactAt: string };

/**
 * Through JSON, exactly: bigint, Date, Map, NaN, undefined in an array and whatever else would come back as something different is
 * refused. A property that is undefined counts as absent; instances of classes come back as plain objects.
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
  const inexactAt = difference(value, parsed, 'data');
  return inexactAt === undefined ? { text, value: parsed } : { inexactAt };
}

function difference(before: unknown, after: unknown, path: string): string | undefined {
  if (typeof before !== 'object' || before === null) return before === after ? undefined : path;
  const tag = Array.isArray(before) ? '[object Array]' : '[object Object]';
  if (Object.prototype.toString.call(before) !== tag || Object.prototype.toString.call(after) !== tag) return path;
  const [old, now] = [
    Object.entries(before).filter(([, value]) => value !== undefined),
    Object.entries(after as object),
  ];
  if (old.length !== now.length) return path;
  // JSON keeps the order of properties.
  for (const [index, [name, value]] of old.entries()) {
    const [nameNow, valueNow] = now[index] ?? [];
    if (name !== nameNow) return path;
    const found = difference(value, valueNow, `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
