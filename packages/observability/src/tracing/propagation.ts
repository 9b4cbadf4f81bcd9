import { type Delivery, headerNames, type Message } from '@bento-bus/core';
import type { CarrierSetter, TraceApi, TraceContext } from './otel.ts';

const { traceparent, tracestate } = headerNames;

type Headers = Readonly<Record<string, string>>;

/** Of what a propagator writes, only what the headers of messages have a place for: baggage stays as the publisher gave it. */
const traceOnly: CarrierSetter = {
  set(carrier, key, value) {
    if (key === traceparent || key === tracestate) carrier[key] = value;
  },
};

/** Reads and writes the trace in headers, by the API's propagator. */
export class Propagation {
  readonly #api: TraceApi;

  constructor(api: TraceApi) {
    this.#api = api;
  }

  /** Where these headers come from; `otherwise`, where they do not say so. */
  contextOf(headers: Headers, otherwise: TraceContext): TraceContext {
    return headers[traceparent] === undefined ? otherwise : this.#api.propagation.extract(otherwise, headers);
  }

  /** The headers with this place in the trace; the same object where the propagator writes nothing. */
  carried(headers: Headers, context: TraceContext): Headers {
    const copy: Record<string, string> = { ...headers };
    // It belongs to the trace that is replaced.
    if (copy[tracestate] !== undefined) delete copy[tracestate];
    this.#api.propagation.inject(context, copy, traceOnly);
    return copy[traceparent] === headers[traceparent] ? headers : copy;
  }

  message(message: Message, context: TraceContext): Message {
    const headers = this.carried(message.headers, context);
    return headers === message.headers ? message : { ...message, headers };
  }

  /**
   * A delivery whose message says that it comes from here. What has `raw` stays as it is: the runtime knows records that nobody could
   * read by the object itself. Their causes join the trace by the active context, or by the trace they came with.
   */
  delivery(delivery: Delivery, context: TraceContext): Delivery {
    if (delivery.message.raw !== undefined) return delivery;
    const message = this.message(delivery.message, context);
    if (message === delivery.message) return delivery;
    return { topic: delivery.topic, message, attempt: delivery.attempt, position: delivery.position };
  }
}
