import type { z } from 'zod';
import type * as schemas from '../../src/http/schemas.ts';

// What the server says, by the names of its schemas. Types alone, and not served: modules import it in comments and in double
// quotes, for what they name in single ones is a file of the page.

export type OrderSummary = z.infer<typeof schemas.OrderSummary>;
export type OrderDetails = z.infer<typeof schemas.OrderDetails>;
export type OrderPage = z.infer<typeof schemas.OrderPage>;
export type OrderEvent = z.infer<typeof schemas.OrderEvents>['events'][number];
export type Step = schemas.Step;
export type Statistics = z.infer<typeof schemas.Statistics>;
export type Revenue = Statistics['byDay'][number];
export type Groups = schemas.Groups;
export type Failed = z.infer<typeof schemas.Failed>;
export type FailedRun = z.infer<typeof schemas.FailedRun>;
type FailedDone = z.infer<typeof schemas.FailedDone>;
/** As the server tells it, or that it tells nothing. */
export type Health =
  | z.infer<typeof schemas.Health>
  | { status: 'unreachable'; checks: z.infer<typeof schemas.Health>['checks'] };
/** A field that was refused. */
export type Fault = NonNullable<z.infer<typeof schemas.Problem>['errors']>[number];

/** What GET answers, by path; an order itself stands beside it, for its path is also the beginning of others. */
interface Answers {
  '/api/groups': Groups;
  '/api/failed': Failed;
  '/api/statistics': Statistics;
  '/api/orders': OrderPage;
  [list: `/api/orders?${string}`]: OrderPage;
  [events: `/api/orders/${string}/events`]: z.infer<typeof schemas.OrderEvents>;
  [trace: `/api/orders/${string}/trace`]: z.infer<typeof schemas.OrderTrace>;
}
type OrderPath = `/api/orders/${string}`;
export type GetPath = keyof Answers | OrderPath;
export type Answer<P extends GetPath> = P extends keyof Answers ? Answers[P] : OrderDetails;

/** What POST answers, by path. */
type FailedPath = '/api/failed/redrive' | '/api/failed/discard';
export type PostPath = FailedPath | '/api/orders' | OrderPath;
export type Outcome<P extends PostPath> = P extends FailedPath ? FailedDone : OrderDetails;

/** Events of the stream, as far as the page reads them. */
export interface StreamEvents {
  /** One event of an order. */
  order: Record<'type' | 'id' | 'orderId' | 'time' | 'country' | 'status' | 'total', string>;
  groups: Groups;
  /** How many messages wait, of all places. */
  failed: { count: number };
}
