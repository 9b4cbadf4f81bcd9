import { type Break, filtered } from './ways.ts';

/** What only a further store of the log does. */
export const brokenSeconds: Readonly<Record<string, Break>> = {
  'has another identity at the same log': () => ({ identity: 'another' }),
  'shows a log as it was when it was opened': (s) => {
    const then = s.head();
    return { head: () => then };
  },
  'sees only its own events': (s) => {
    const own = new Set<string>();
    return {
      saveEvents: (stream, events, version) => {
        for (const { id } of events) own.add(id);
        return s.saveEvents(stream, events, version);
      },
      readAll: (after, options) => filtered(({ id }) => own.has(id))(s).readAll?.(after, options) ?? s.readAll(after),
    };
  },
};
