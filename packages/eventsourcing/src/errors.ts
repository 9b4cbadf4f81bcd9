import { BentoError, isBentoError } from '@bento-bus/core';
import type { FailedEvent } from './failed-events.ts';
import { reasonOf } from './fault.ts';
import type { EventFailure } from './fold.ts';
import { streamName } from './streams.ts';

/** Some events of a batch could not be taken in; what the transport sees, and hands to the hook at the lane's limits. */
export class ProjectionError extends BentoError {
  /** One a projection and stream: the first event that its row lacks. */
  readonly failures: readonly EventFailure[];

  constructor(failures: readonly [EventFailure, ...EventFailure[]]) {
    const [{ error, event, projection }] = failures;
    super(
      'HANDLER',
      `eventsourcing: cannot project "${event.type}" (version ${event.streamVersion} of "${streamName(event.stream)}") into "${projection.name}": ${reasonOf(error)}. It is tried again until its lane's limits, then recorded in failed_events.`,
      failures.some((failure) => isBentoError(failure.error) && failure.error.retryable),
      { cause: error },
    );
    this.failures = failures;
  }
}

/** Rows are behind, and will stay so: their next events have failed. */
export class FailedEventsError extends BentoError {
  /** The first failed events in commit order, 1,000 at most. */
  readonly failures: readonly FailedEvent[];
  /** Streams with a failed event. */
  readonly count: number;

  constructor(failures: readonly FailedEvent[], count: number) {
    const named = failures.slice(0, 3).map(({ projection, reason, streamId, streamType, streamVersion }) => {
      const stream = streamName({ type: streamType, id: streamId });
      return `version ${streamVersion} of "${stream}" in "${projection}" (${reason})`;
    });
    const more = count > named.length ? ` and ${count - named.length} more` : '';
    const what = 'Mend their cause, then catch up again';
    super('HANDLER', `eventsourcing: cannot catch up: failed events: ${named.join(', ')}${more}. ${what}.`);
    this.failures = failures;
    this.count = count;
  }
}

/** Rows were still behind when the time was over. */
export class CaughtUpTimeoutError extends BentoError {
  /** Streams found behind; where `exact` is false there may be more. */
  readonly behind: number;
  readonly exact: boolean;

  constructor(projection: string, timeoutMs: number, behind: number, exact: boolean) {
    const streams = `${exact ? '' : 'at least '}${behind} ${behind === 1 ? 'stream is' : 'streams are'} behind`;
    const what = 'Is the projector subscribed, and the relay at work? Wait again, or run catchUp()';
    super(
      'TIMEOUT',
      `eventsourcing: cannot catch up within ${timeoutMs} ms: ${streams} in "${projection}". ${what}.`,
      true,
    );
    this.behind = behind;
    this.exact = exact;
  }
}
