import { headerNames } from '@bento-bus/core';
import type { JsonSchema } from './json-schemas.ts';

const text = (description: string): JsonSchema => ({ type: 'string', description });
const exactly = (value: string, description: string): JsonSchema => ({ type: 'string', const: value, description });

/**
 * The headers of an event as JSON Schema: CloudEvents 1.0 in binary mode, on every backend. The first five are the attributes that
 * core's wire format writes; others may be there too.
 */
export function messageHeaders(type: string, version: number, contentType: string): JsonSchema {
  return {
    type: 'object',
    properties: {
      ce_specversion: exactly('1.0', 'Of CloudEvents.'),
      ce_id: text('Unique within the source. The same message again has the same id.'),
      ce_type: exactly(type, 'The event type.'),
      ce_source: text('Who published it.'),
      ce_time: { type: 'string', format: 'date-time', description: 'When it was published, or happened.' },
      [headerNames.contentType]: exactly(contentType, 'Of the body.'),
      [headerNames.eventVersion]: exactly(String(version), 'Version of the payload.'),
      [headerNames.correlationId]: text('Id of the message that began the conversation.'),
      [headerNames.causationId]: text('Id of the message that this one follows from.'),
      [headerNames.log]: text('Event store that the event comes from.'),
      [headerNames.position]: text('Its position in that store.'),
      [headerNames.streamType]: text('Type of its stream.'),
      [headerNames.streamId]: text('Id of its stream.'),
      [headerNames.streamVersion]: { type: 'string', pattern: '^[0-9]+$', description: 'Its version in that stream.' },
      [headerNames.deliverAt]: {
        type: 'string',
        pattern: '^[0-9]+$',
        description: 'Not delivered before this time. Epoch milliseconds.',
      },
      [headerNames.traceparent]: text('W3C Trace Context.'),
      [headerNames.tracestate]: text('W3C Trace Context: what vendors add to it.'),
    },
    required: [
      'ce_specversion',
      'ce_id',
      'ce_type',
      'ce_source',
      'ce_time',
      headerNames.contentType,
      headerNames.eventVersion,
    ],
  };
}
