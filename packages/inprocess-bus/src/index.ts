export { createCommandBus } from './command-bus.ts';
export { createEventBus, type EventBusOptions } from './event-bus.ts';
export { type Forwardable, forward } from './forward.ts';
export { createQueryBus } from './query-bus.ts';
export type { RequestBusOptions, RequestHandler, RequestMiddleware } from './request-bus.ts';
export { createMemoryCheckpointStore } from './transport/memory-checkpoint-store.ts';
export type { InProcessTransportOptions } from './transport/options.ts';
export { createInProcessTransport, type InProcessTransport } from './transport/transport.ts';
export { createVirtualClock, type VirtualClock } from './virtual-clock.ts';
