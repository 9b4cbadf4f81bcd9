export { Aggregate, type EventsOf, type InputOf, type LoadableAggregate, type RecordOptions } from './aggregate.ts';
export { CaughtUpTimeoutError, FailedEventsError, ProjectionError } from './errors.ts';
export { type FailedEvent, failedEvents } from './failed-events.ts';
export type { EventFailure } from './fold.ts';
export { createInMemoryEventStore } from './in-memory-event-store.ts';
export { createInMemoryReadModels } from './in-memory-read-models.ts';
export type { EventPlace } from './placed-event.ts';
export {
  defineProjection,
  type ProjectedEvent,
  type Projection,
  type ProjectionFacts,
  type ProjectionInput,
} from './projection.ts';
export { createProjector } from './projector.ts';
export type {
  CatchUpOptions,
  CatchUpProgress,
  CaughtUpOptions,
  CaughtUpProgress,
  Projector,
  ProjectorOptions,
  ProjectorSubscribeOptions,
} from './projector-options.ts';
export { createRelay } from './relay.ts';
export type { Relay, RelayOptions, RelayProgress } from './relay-options.ts';
export { type CreateUnitOfWorkOptions, createUnitOfWork } from './unit-of-work.ts';
