export { createOperations } from './create-operations.ts';
export { deleteLeftTails } from './left-tails.ts';
export type {
  About,
  FailedFilter,
  FailedMessage,
  FailedRun,
  FailedRunOptions,
  Operations,
  ProjectionStatus,
  RebuildProgress,
  RelayStatus,
  SeenMessage,
  TailOptions,
} from './operations.ts';
export type {
  DeadLetterFunctions,
  FailedPlace,
  Letter,
  OperationsParts,
  Parked,
  ProjectionParts,
} from './parts.ts';
export { type ConnectOptions, connectOperations } from './remote/connect.ts';
export { type Endpoint, newToken, readEndpoint, writeEndpoint } from './remote/endpoint.ts';
export { type ServeOptions, serveOperations } from './remote/serve.ts';
