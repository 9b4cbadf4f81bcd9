import { clickHouse } from './clickhouse.mjs';
import { codecs } from './codecs.mjs';
import { dispatcher } from './dispatcher.mjs';
import { eventBus } from './event-bus.mjs';
import { kafka } from './kafka.mjs';
import { messageBus } from './message-bus.mjs';
import { nest } from './nest.mjs';
import { observability } from './observability.mjs';
import { pulsar } from './pulsar.mjs';
import { retryCost } from './retry.mjs';

/**
 * One comparison. `target`: the smallest ratio of ours to the reference that we are content with.
 * @typedef {object} Figure
 * @property {string} name
 * @property {string} what
 * @property {number} [target]
 * @property {number} [mostNs] Instead of a target: an operation of ours may take so many nanoseconds longer.
 * @property {number} [eventsEach] Events in an operation: the unit is then events a second.
 * @property {import('../measure.mjs').Sampling} [sampling]
 * @property {() => Promise<import('../measure.mjs').Sides>} open Loads and prepares both sides.
 */

/** @type {readonly Figure[]} */
export const figures = [
  ...eventBus,
  ...nest,
  ...messageBus,
  ...codecs,
  ...dispatcher,
  ...retryCost,
  ...observability,
  ...clickHouse,
  ...kafka,
  ...pulsar,
];
