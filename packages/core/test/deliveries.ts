import type { Delivery, Message } from '../src/index.ts';

let count = 0;

/** A message with what the test cares for. */
export const message = (given: Partial<Message> = {}): Message => ({
  id: `m${(count += 1)}`,
  type: 'test.happened',
  source: 'tests',
  time: 1_700_000_000_000,
  headers: {},
  body: null,
  ...given,
});

/** A first delivery of it on topic `t`. */
export const delivery = (given: Partial<Message> = {}, topic = 't'): Delivery => {
  const made = message(given);
  return { topic, message: made, attempt: 1, position: made.id };
};
