/** Header names of messages. CloudEvents 1.0 attributes have the prefix `ce_` (Kafka protocol binding, binary mode). */
export const headerNames = {
  contentType: 'content-type',
  /** Schema version of the body. */
  eventVersion: 'ce_eventversion',
  correlationId: 'ce_correlationid',
  causationId: 'ce_causationid',
  /** Identity of the event store that the event comes from, and the event's position in it. */
  log: 'ce_log',
  position: 'ce_position',
  /** Stream of the event: type, id and the event's version in it. */
  streamType: 'ce_streamtype',
  streamId: 'ce_streamid',
  streamVersion: 'ce_streamversion',
  /** Not delivered before this time. Epoch milliseconds as a decimal number. */
  deliverAt: 'ce_deliverat',
  /** W3C Trace Context: the span that a message comes from, https://www.w3.org/TR/trace-context/ */
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const;
