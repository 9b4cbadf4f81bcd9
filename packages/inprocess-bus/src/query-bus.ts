import type { QueryBus } from '@bento-bus/core';
import { createRequestBus, type RequestBusOptions } from './request-bus.ts';

/** Queries in process: as `createCommandBus`, for reads. */
export const createQueryBus = (options?: RequestBusOptions): QueryBus => createRequestBus('query', options) as QueryBus;
