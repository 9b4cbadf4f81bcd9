import type { CommandBus } from '@bento-bus/core';
import { createRequestBus, type RequestBusOptions } from './request-bus.ts';

/**
 * Commands in process: exactly one handler for a class, found by the exact class of the instance (a subclass is another command).
 * `execute` resolves with what the handler returns; what a handler throws, in the call or later, is the rejection.
 * A second registration throws and a missing handler rejects with a `CONFIGURATION` error that names the class.
 */
export const createCommandBus = (options?: RequestBusOptions): CommandBus =>
  createRequestBus('command', options) as CommandBus;
