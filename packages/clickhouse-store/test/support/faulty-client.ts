import type { ClickHouseClient } from '@clickhouse/client';

/** What becomes of a statement on a bad network. */
type Fate = 'passes' | 'request lost' | 'answer lost';

/** A client on the real engine with a network that can fail, and a count of its statements. */
export interface FaultyClient {
  readonly client: ClickHouseClient;
  /** Decides over each insert (by its SQL); later inserts pass. */
  readonly inserts: Fate[];
  /** Over each SELECT. */
  readonly selects: Fate[];
  /** SQL of what reached the engine. */
  readonly seen: string[];
  /** While set, inserts wait for it before they reach the engine, and their callers hear of a lost answer at once. */
  delayed: Promise<void> | undefined;
  /** Runs before the next insert reaches the engine. */
  before: (() => Promise<unknown>) | undefined;
  /** Inserts that reached the engine late. */
  readonly late: Promise<unknown>[];
}

const reset = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

export function faultyClient(real: ClickHouseClient): FaultyClient {
  const state: FaultyClient = {
    client: real,
    inserts: [],
    selects: [],
    seen: [],
    delayed: undefined,
    before: undefined,
    late: [],
  };
  const through = async <T>(fates: Fate[], query: string, run: () => Promise<T>): Promise<T> => {
    const fate = fates.shift() ?? 'passes';
    if (fate === 'request lost') throw reset();
    state.seen.push(query);
    const answer = await run();
    if (fate === 'answer lost') throw reset();
    return answer;
  };
  const client = new Proxy(real, {
    get(target, property) {
      if (property === 'exec')
        return async (params: Parameters<ClickHouseClient['exec']>[0]) => {
          const { before } = state;
          state.before = undefined;
          await before?.();
          if (state.delayed === undefined) return through(state.inserts, params.query, () => target.exec(params));
          state.late.push(state.delayed.then(() => target.exec(params)));
          throw reset();
        };
      if (property === 'query')
        return (params: Parameters<ClickHouseClient['query']>[0]) =>
          through(state.selects, params.query, () => target.query(params));
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return Object.assign(state, { client });
}
