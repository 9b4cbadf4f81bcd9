export type {
  GroupAdmin,
  GroupDescription,
  GroupMember,
  MessagingAdmin,
  NewTopic,
  PartitionBacklog,
  PartitionDescription,
  PeekedMessage,
  ResetPosition,
  TopicAdmin,
  TopicDescription,
} from './admin.ts';
export type { CommandBus, EventBus, MaybePromise, MessageClass, QueryBus, ResultOf, Returning } from './buses.ts';
export {
  type CheckpointedItem,
  type CheckpointedOptions,
  type CheckpointedPublisher,
  type CheckpointedPublishing,
  type CheckpointReading,
  type CheckpointStore,
  canPublishCheckpointed,
  canReadCheckpoint,
  type Position,
} from './checkpoint.ts';
export type { Codec, CodecContext, Encoded } from './codec.ts';
export { configurationError } from './configuration.ts';
export { createMessageBus, type MessageBusOptions } from './create-message-bus.ts';
export { canDiagnose, type Diagnosing, type Finding } from './diagnosis.ts';
export {
  BentoError,
  CodecError,
  ConcurrencyError,
  type ErrorCode,
  EventHandlersError,
  FencedError,
  isBentoError,
  PublishError,
  ValidationError,
} from './errors.ts';
export type { EventStore, NewEvent, StoredEvent, StreamId } from './event-store.ts';
export {
  type BusEvent,
  defineEvents,
  type EventCatalogue,
  type EventDefinition,
  type EventInput,
  type EventOf,
} from './events.ts';
export { headerNames } from './headers.ts';
export type { IdempotencyStore } from './idempotency.ts';
export { type LogFields, type Logger, silentLogger } from './logger.ts';
export type { Closeable, Delivery, Message } from './message.ts';
export type {
  BatchItem,
  BusBatchOptions,
  BusSubscribeOptions,
  BusSubscription,
  EventBatchHandler,
  EventContext,
  EventHandler,
  EventPublisherPort,
  MessageBus,
  PublishOptions,
  TopicPublishOptions,
} from './message-bus.ts';
export { compose, type Middleware, type SubscriptionContext } from './middleware.ts';
export {
  type ColumnType,
  type ColumnValue,
  defineReadModel,
  type ReadModel,
  type ReadModelPort,
  type ReadModelStore,
  type RowOf,
  type VersionedRow,
  type Where,
} from './read-model.ts';
export type { InferInput, InferOutput, StandardIssue, StandardResult, StandardSchemaV1 } from './standard-schema.ts';
export { canListTopics, isBesideTopic, type TopicListing, type TopicSelector } from './topic-patterns.ts';
export type {
  BatchHandler,
  BatchOptions,
  Capabilities,
  DeliveryHandler,
  Outcome,
  Publisher,
  StartPosition,
  SubscribeOptions,
  Subscriber,
  Subscription,
  Transport,
} from './transport.ts';
export type {
  AggregateClass,
  EventSource,
  Recording,
  UnitOfWork,
  UnitOfWorkOptions,
  UnitOfWorkScope,
} from './unit-of-work.ts';
export { decodeEvent, isPromise, upcastEvent, validate } from './validation.ts';
