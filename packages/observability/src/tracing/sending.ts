import type { Message } from '@bento-bus/core';
import type { Publishing } from '../instrument.ts';
import { attributes, operations } from '../names.ts';
import { describeMessage, operationAttributes } from './describe.ts';
import { fail } from './error-type.ts';
import { isNothing, type Span, type SpanLink, type StartOptions, spanKinds, type TraceContext } from './otel.ts';
import type { TracingParts } from './parts.ts';

/** Topics remembered, so that an application that makes topics without end does not fill the memory. */
const mostTopics = 1_000;

/** What does not change from message to message. */
interface Destination {
  readonly system: string;
  readonly topic: string;
  readonly sendName: string;
  readonly sendOptions: StartOptions;
  readonly createName: string;
  readonly createOptions: StartOptions;
}

/** Spans of publishes. */
export class Sending {
  readonly #parts: TracingParts;
  readonly #destinations = new Map<string, Destination>();
  #last: Destination | undefined;

  constructor(parts: TracingParts) {
    this.#parts = parts;
  }

  publishing(topic: string, messages: readonly Message[], system: string): Publishing | undefined {
    const first = messages[0];
    if (first === undefined || this.#parts.dormancy.pass()) return undefined;
    const to = this.#destination(system, topic);
    return messages.length === 1 ? this.#one(to, first) : this.#many(to, messages);
  }

  #one({ sendName, sendOptions, system }: Destination, message: Message): Publishing | undefined {
    const { api, atWork, dormancy, propagation, tracer } = this.#parts;
    const parent = propagation.contextOf(message.headers, api.context.active());
    const span = tracer.startSpan(sendName, sendOptions, parent);
    if (isNothing(span)) {
      dormancy.doubt(() => tracer.startSpan(sendName, sendOptions, api.ROOT_CONTEXT));
      return undefined;
    }
    if (!atWork.isEmpty) atWork.publishing(message.headers);
    if (span.isRecording()) describeMessage(span, system, message);
    return new Sent([propagation.message(message, api.trace.setSpan(parent, span))], span);
  }

  /** Each message has a span of its own, in its own trace; the sending, which belongs to all of them, links to these. */
  #many(to: Destination, messages: readonly Message[]): Publishing | undefined {
    const { api, tracer } = this.#parts;
    const active = api.context.active();
    const links: SpanLink[] = [];
    const created: Message[] = [];
    for (const message of messages) {
      const copy = this.#created(to, message, active, links);
      if (copy === undefined) return undefined;
      created.push(copy);
    }
    const count = { [attributes.batchCount]: messages.length };
    const options = { kind: spanKinds.client, attributes: { ...to.sendOptions.attributes, ...count }, links };
    return new Sent(created, tracer.startSpan(to.sendName, options, active));
  }

  #created(to: Destination, message: Message, active: TraceContext, links: SpanLink[]): Message | undefined {
    const { api, atWork, propagation, tracer } = this.#parts;
    const parent = propagation.contextOf(message.headers, active);
    const span = tracer.startSpan(to.createName, to.createOptions, parent);
    if (isNothing(span)) return undefined;
    if (!atWork.isEmpty) atWork.publishing(message.headers);
    if (span.isRecording()) describeMessage(span, to.system, message);
    links.push({ context: span.spanContext() });
    span.end();
    return propagation.message(message, api.trace.setSpan(parent, span));
  }

  #destination(system: string, topic: string): Destination {
    const last = this.#last;
    if (last !== undefined && last.topic === topic && last.system === system) return last;
    const key = `${system} ${topic}`;
    const known = this.#destinations.get(key) ?? destinationOf(system, topic);
    if (this.#destinations.size >= mostTopics) this.#destinations.clear();
    this.#destinations.set(key, known);
    this.#last = known;
    return known;
  }
}

const destinationOf = (system: string, topic: string): Destination => ({
  system,
  topic,
  sendName: `${operations.send} ${topic}`,
  sendOptions: { kind: spanKinds.producer, attributes: operationAttributes(system, operations.send, topic) },
  createName: `${operations.create} ${topic}`,
  createOptions: { kind: spanKinds.producer, attributes: operationAttributes(system, operations.create, topic) },
});

/** A publish under way. */
class Sent implements Publishing {
  readonly messages: readonly Message[];
  readonly #span: Span;

  constructor(messages: readonly Message[], span: Span) {
    this.messages = messages;
    this.#span = span;
  }

  end(error: unknown): void {
    if (error !== undefined) fail(this.#span, error);
    this.#span.end();
  }
}
