import type { EventStore, Position, StoredEvent } from '@bento-bus/core';

/** Which part of a log to read. */
export interface PageOptions {
  readonly after: Position;
  /** Last position to read. @default the head, as each page finds it */
  readonly to?: Position;
  /** Events a page, at most. */
  readonly size: number;
  readonly signal?: AbortSignal;
}

/**
 * The log in pages up to its end, commit order, no empty pages. While the caller works on one page the next is read, so at most two are
 * in memory.
 */
export async function* pagesOf(store: EventStore, options: PageOptions): AsyncGenerator<readonly StoredEvent[]> {
  const { after, to, size } = options;
  let next: Promise<StoredEvent[]> | undefined = readPage(store, after, options);
  while (next) {
    const page: StoredEvent[] = await next;
    const last = page.at(-1);
    if (!last) return;
    next = page.length < size || last.position === to ? undefined : readPage(store, last.position, options);
    // Who stops reading meets no error of a page that nobody wants any more.
    next?.catch(() => undefined);
    yield page;
  }
}

async function readPage(store: EventStore, after: Position, { size, to, signal }: PageOptions): Promise<StoredEvent[]> {
  const page: StoredEvent[] = [];
  for await (const event of store.readAll(after, { limit: size, ...(signal && { signal }) })) {
    if (to !== undefined && event.position > to) break;
    page.push(event);
  }
  return page;
}
