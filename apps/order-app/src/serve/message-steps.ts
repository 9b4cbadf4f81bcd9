import type { Trail, TrailMessage, TrailStep } from '@bento-bus/observability';
import type { TimedStep } from './order-history.ts';

/** What happened to messages, as a trail has seen it. */
export interface MessageSteps {
  /** Ascending by time. */
  of(messageId: string): readonly TimedStep[];
}

export const createMessageSteps = (trail: Pick<Trail, 'of'>): MessageSteps => ({
  of: (messageId) => {
    const message = trail.of(messageId);
    return message === undefined ? [] : message.steps.flatMap((step) => stepsOf(message, step));
  },
});

const kinds = {
  sent: 'publish',
  handled: 'process',
  failed: 'process',
  retry: 'retry',
  // The policy has parked it.
  taken: 'dead-letter',
  'dead-letter': 'dead-letter',
  redrive: 'redrive',
} as const;

function stepsOf(
  { id, type, traceId }: TrailMessage,
  { kind, at, topic, group, attempt, durationMs = 0, error }: TrailStep,
): readonly TimedStep[] {
  // A copy for the audit is no part of the way, and where an exhausted message goes is a step of its own.
  if (kind === 'audit' || kind === 'exhausted') return [];
  const isTry = kind === 'handled' || kind === 'failed';
  return [
    {
      // A try is told by when it began.
      time: isTry ? at - durationMs : at,
      // Who is parked is tried again by a copy that counts its tries, or by a redrive, which begins anew.
      kind: kind === 'retry' && attempt === undefined ? 'redrive' : kinds[kind],
      name: kind === 'taken' ? `${type} (parked)` : type,
      messageId: id,
      topic,
      ...(group !== undefined && { group }),
      ...(attempt !== undefined && { attempt }),
      outcome: kind === 'failed' || (kind === 'sent' && error !== undefined) ? 'failed' : 'ok',
      ...(error !== undefined && { error }),
      durationMs: isTry ? durationMs : 0,
      ...(traceId !== undefined && { traceId }),
    },
  ];
}
