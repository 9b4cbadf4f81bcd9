/** What can be put in order by who caused whom. */
interface Caused {
  readonly id: string;
  readonly causationId?: string;
}

/** A message and what it caused. */
export interface TrailBranch<T> {
  readonly message: T;
  readonly caused: readonly TrailBranch<T>[];
}

/** A message between what it came from and what it caused. */
export interface TrailTree<T> extends TrailBranch<T> {
  /** The first cause first; as far back as it is known. */
  readonly ancestors: readonly T[];
}

/** The message among others; undefined where it is not among them. Messages that say that they caused each other stand there once. */
export function treeOf<T extends Caused>(messages: Iterable<T>, id: string): TrailTree<T> | undefined {
  const byId = new Map<string, T>();
  const byCause = new Map<string, T[]>();
  for (const message of messages) {
    byId.set(message.id, message);
    if (message.causationId === undefined) continue;
    const known = byCause.get(message.causationId);
    if (known === undefined) byCause.set(message.causationId, [message]);
    else known.push(message);
  }
  const message = byId.get(id);
  if (message === undefined) return undefined;
  const seen = new Set([id]);
  const ancestors: T[] = [];
  for (let one = causeOf(message); one !== undefined && !seen.has(one.id); one = causeOf(one)) {
    seen.add(one.id);
    ancestors.push(one);
  }

  function causeOf({ causationId }: T): T | undefined {
    return causationId === undefined ? undefined : byId.get(causationId);
  }
  // Level by level and without recursion: a flow may be as long as it likes.
  const root = { message, caused: [] as Growing<T>[] };
  for (const branch of growing(root)) {
    for (const one of byCause.get(branch.message.id) ?? []) {
      if (seen.has(one.id)) continue;
      seen.add(one.id);
      branch.caused.push({ message: one, caused: [] });
    }
  }
  return { ancestors: ancestors.toReversed(), message, caused: root.caused };
}

interface Growing<T> extends TrailBranch<T> {
  readonly caused: Growing<T>[];
}

/** The branch, then all that hang on it by then. */
function* growing<T>(root: Growing<T>): Generator<Growing<T>> {
  const all = [root];
  for (const branch of all) {
    yield branch;
    for (const one of branch.caused) all.push(one);
  }
}
