export { type IdempotentOptions, idempotent } from './idempotent.ts';
export { createMemoryIdempotencyStore, type MemoryIdempotencyOptions } from './memory-store.ts';
