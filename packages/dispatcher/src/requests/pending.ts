import { BentoError } from '@bento-bus/core';
import { RemoteError } from '../errors.ts';
import type { RequestDefinition } from './define-requests.ts';
import { requestHeaders } from './headers.ts';

/** How far a request is on its way. */
type RequestStage = 'opening' | 'publishing' | 'sent';

/** A request that waits. The first of `resolve` and `reject` counts. */
export interface Pending {
  readonly definition: RequestDefinition;
  readonly timeoutMs: number;
  stage: RequestStage;
  /** Somebody said that it is being handled. */
  taken: boolean;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Ends its timer and its listener. */
  release: () => void;
}

/** Why no reply came in time. */
export function lateError({ definition: { type, topic }, timeoutMs, stage, taken }: Pending): BentoError {
  const what = `dispatcher: the request "${type}" got no reply within ${timeoutMs} ms`;
  const timeout = (why: string): BentoError => new BentoError('TIMEOUT', `${what}: ${why}.`, true);
  if (taken) {
    return timeout(
      'a responder took it and is not done. It may still be handled. Raise timeoutMs, or look at the responder',
    );
  }
  if (stage === 'opening') return timeout('its reply topic could not be subscribed to in time. Ask again');
  if (stage === 'publishing') return timeout('it was not confirmed to be stored in time. Ask again');
  return new BentoError(
    'NO_RESPONDER',
    `${what}: nobody took it. Start a responder for topic "${topic}", or more of them: the request may wait behind others.`,
    true,
  );
}

/** What a reply of kind `error` says. */
export function remoteError(type: string, headers: Readonly<Record<string, string>>): RemoteError {
  const { errorCode, error, retryable } = requestHeaders;
  return new RemoteError(type, headers[errorCode] ?? 'HANDLER', headers[error] ?? '', headers[retryable] !== 'false');
}
