export { createClickHouseCheckpointStore } from './checkpoints.ts';
export { diagnoseClickHouse } from './diagnose.ts';
export { ClickHouseEventStore, createClickHouseEventStore } from './event-store.ts';
export type { IdempotencyStoreOptions } from './idempotency/options.ts';
export { createClickHouseIdempotencyStore } from './idempotency/store.ts';
export { type ClickHouse, openClickHouse } from './open.ts';
export type { EventStoreOptions, OpenClickHouseOptions, StoreOptions } from './options.ts';
export { createClickHouseReadModels } from './read-models.ts';
