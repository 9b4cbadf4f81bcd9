import { headerNames } from '@bento-bus/core';
import { copyHeaders } from '../copy-headers.ts';
import { attributes, ownAttributes } from '../names.ts';
import { type Span, type SpanContext, statusError } from './otel.ts';

/** A handling, or a hook, under way. */
export interface AtWork {
  readonly span: Span;
  /** Where its message came from. */
  readonly origin: SpanContext | undefined;
  /** When its message had failed last before this, as its header says. */
  readonly failedBefore: string | undefined;
  /** Set once a copy of the message has left for a retry topic or the dead letters. */
  left: { readonly outcome: 'retry' | 'dead-letter'; readonly errorCode: string } | undefined;
}

/** A dry run of a redrive holds letters and never ends their handling: of such there may be this many, then the oldest are forgotten. */
const most = 10_000;

type Headers = Readonly<Record<string, string>>;

/** Recorded spans under way, by the traceparent that they handed on: whoever sees it in a message knows what the message comes from. */
export class SpansAtWork {
  readonly #spans = new Map<string, AtWork>();

  get isEmpty(): boolean {
    return this.#spans.size === 0;
  }

  add(handedOn: Headers, cameWith: Headers, span: Span, origin: SpanContext | undefined): AtWork | undefined {
    const key = handedOn[headerNames.traceparent];
    if (key === undefined || key === cameWith[headerNames.traceparent]) return undefined;
    if (this.#spans.size >= most) for (const oldest of this.#spans.keys()) if (this.#spans.delete(oldest)) break;
    const atWork: AtWork = { span, origin, failedBefore: cameWith[copyHeaders.lastFailed], left: undefined };
    this.#spans.set(key, atWork);
    return atWork;
  }

  of(headers: Headers): AtWork | undefined {
    const key = headers[headerNames.traceparent];
    return key === undefined ? undefined : this.#spans.get(key);
  }

  remove(handedOn: Headers): void {
    const key = handedOn[headerNames.traceparent];
    if (key !== undefined) this.#spans.delete(key);
  }

  /**
   * Looks at what is being published: is it the copy of a message whose handling has just failed? Then the handling ended well only for
   * the lane.
   */
  publishing(headers: Headers): void {
    const failed = headers[copyHeaders.lastFailed];
    if (failed === undefined) return;
    const atWork = this.of(headers);
    // Dead letters that a redrive puts back, or keeps for the audit, failed before.
    if (atWork === undefined || atWork.failedBefore === failed) return;
    atWork.left = {
      outcome: headers[copyHeaders.reason] === undefined ? 'retry' : 'dead-letter',
      errorCode: headers[copyHeaders.errorCode] ?? '_OTHER',
    };
  }
}

/** The lane is content, since a copy is stored; the handling failed. */
export function describeLeft(span: Span, { errorCode, outcome }: NonNullable<AtWork['left']>): void {
  span.setAttribute(ownAttributes.outcome, outcome);
  span.setAttribute(attributes.errorType, errorCode);
  span.setStatus({ code: statusError });
}
