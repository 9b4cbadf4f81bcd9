export { type Backoff, type FullJitterOptions, fullJitter } from './backoff.ts';
export { type Clock, systemClock } from './clock.ts';
export { closeAll, closeOnce, withDeadline } from './drain.ts';
export { createLanes, type Lanes, type LanesOptions } from './lanes.ts';
