import type { Operations } from '../operations.ts';

/** Where a method takes its options, among its arguments: `signal` and `onProgress` do not travel. */
type Where = number | undefined;

/** Every method of {@link Operations} that travels. `tail` is a stream of its own. */
export const methods: Readonly<
  Record<Exclude<keyof Operations, 'close' | typeof Symbol.asyncDispose | 'tail'>, Where>
> = {
  about: undefined,
  diagnose: undefined,
  listTopics: undefined,
  describeTopic: undefined,
  createTopic: undefined,
  deleteTopic: undefined,
  setPartitions: undefined,
  configureTopic: undefined,
  listGroups: undefined,
  describeGroup: undefined,
  createGroup: undefined,
  resetGroup: undefined,
  skip: undefined,
  deleteGroup: undefined,
  peek: undefined,
  publish: undefined,
  failedPlaces: undefined,
  listFailed: undefined,
  redrive: 2,
  discard: 2,
  relay: undefined,
  projections: undefined,
  rebuild: 1,
  stream: undefined,
  events: undefined,
};

/** Version in the path: another one is another protocol. */
export const basePath = '/bento/v1/';

/** Largest request body, bytes. */
export const largestRequest: number = 32 * 1024 * 1024;
