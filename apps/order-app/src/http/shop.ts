import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Operations } from '@bento-bus/admin';
import type { Logger } from '@bento-bus/core';
import type { OrderApp } from '../order-app.ts';
import type { GroupWatch } from '../serve/group-watch.ts';
import type { OrderFeed } from '../serve/order-feed.ts';
import type { OrderHistory } from '../serve/order-history.ts';

/** What health has to say: 200 or 503. */
export interface HealthReport {
  readonly status: 'ok' | 'failing' | 'draining';
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail?: string }[];
}

/** What the server answers from. It closes none of it. */
export interface Shop {
  readonly app: OrderApp;
  readonly operations: Operations;
  readonly groups: GroupWatch;
  readonly feed: OrderFeed;
  readonly history: OrderHistory;
  readonly health: { live(): Promise<HealthReport> | HealthReport; ready(): Promise<HealthReport> | HealthReport };
  /** Prometheus text. */
  readonly metrics: { readonly contentType: string; metrics(): Promise<string> };
  /** Answers a request under /bento/. */
  readonly bento: (request: IncomingMessage, response: ServerResponse) => Promise<boolean>;
  /** Around what a request does: a span of the trace that its headers name. */
  readonly traced: <T>(route: TracedRoute, work: (setStatus: (status: number) => void) => Promise<T>) => Promise<T>;
  readonly logger: Logger;
}

/** What a span of a request tells. */
interface TracedRoute {
  readonly method: string;
  /** With parameters: `/api/orders/:id`. */
  readonly route: string;
  readonly headers: IncomingMessage['headers'];
}
