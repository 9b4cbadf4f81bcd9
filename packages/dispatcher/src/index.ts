export type { BatchHandlerWrapper } from './batches.ts';
export { createDispatcher, type DispatchedResponderOptions, type Dispatcher } from './dispatcher.ts';
export { HandlersError, RemoteError, TooManyRequestsError } from './errors.ts';
export type { AnyHandlerWrapper, HandlerInfo, HandlerWrapper } from './handlers.ts';
export type { BatchHandlerOptions, DispatcherOptions, DispatchOptions, HandlerOptions } from './options.ts';
export {
  defineRequests,
  type ReplyOf,
  type RequestDefinition,
  type RequestDefinitions,
} from './requests/define-requests.ts';
export { replyTopicPrefix, requestHeaders } from './requests/headers.ts';
export type { RequestsOptions } from './requests/options.ts';
export { type RequestHandler, type ResponderOptions, type RespondOptions, respond } from './requests/responder.ts';
export { type RequestBus, type RequestOptions, withRequests } from './requests/with-requests.ts';
export type { UnknownPolicy } from './unknown.ts';
