/** Headers of requests and replies. The reply's causation id, and its key, is the request's id. */
export const requestHeaders = {
  /** On requests: the topic of the asking instance. */
  replyTo: 'bento-reply-to',
  /** On requests: nobody waits for the reply after this time. Epoch milliseconds. */
  expiresAt: 'bento-expires-at',
  /** On replies: `ok`; `error`; `taken`: somebody is at it. */
  reply: 'bento-reply',
  errorCode: 'bento-error-code',
  error: 'bento-error',
  /** `true` or `false`: whether the same request can succeed later. */
  retryable: 'bento-error-retryable',
} as const;

/** How topics of replies begin. Responders answer to no other unless they are told so: a header is easily forged. */
export const replyTopicPrefix = 'bento-reply-';

/** What replies are called on the wire. */
export const replyType = (type: string): string => `${type}.reply`;
