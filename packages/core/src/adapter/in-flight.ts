import type { ResolvedSubscribeOptions } from './options.ts';

/** The default of `LanesOptions.maxInFlight`: deliveries that a subscription takes and has not settled. */
export const largestInFlight = ({
  concurrency,
  size,
  maxLaneBacklog,
}: Pick<ResolvedSubscribeOptions, 'concurrency' | 'size' | 'maxLaneBacklog'>): number =>
  Math.max(1_000, 2 * concurrency * size, 2 * maxLaneBacklog);
