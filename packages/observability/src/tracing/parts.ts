import type { SpansAtWork } from './at-work.ts';
import type { Dormancy } from './dormancy.ts';
import type { TraceApi, Tracer } from './otel.ts';
import type { Propagation } from './propagation.ts';

/** What all parts of one tracing share. */
export interface TracingParts {
  readonly api: TraceApi;
  readonly tracer: Tracer;
  readonly propagation: Propagation;
  readonly atWork: SpansAtWork;
  readonly dormancy: Dormancy;
}
