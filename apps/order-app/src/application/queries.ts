import type { Returning } from '@bento-bus/core';
import type { Line } from '../domain/events.ts';
import type { Decimal } from '../domain/money.ts';
import type { OrderStatus } from '../domain/order-status.ts';

/** An order as a list shows it. `total` is exact. */
export interface OrderSummary {
  readonly orderId: string;
  readonly status: OrderStatus;
  /** Empty: not known. */
  readonly customerId: string;
  readonly country: string;
  /** Epoch milliseconds, UTC. */
  readonly placedAt: number;
  readonly lineCount: number;
  readonly total: Decimal;
  /** Of the carrier; empty: none, or not shipped. */
  readonly tracking: string;
}

export interface OrderDetails extends OrderSummary {
  readonly lines: readonly (Line & { readonly amount: Decimal })[];
}

/** One order, or undefined. */
export class GetOrder implements Returning<OrderDetails | undefined> {
  declare readonly '~result'?: OrderDetails | undefined;
  readonly orderId: string;

  constructor(orderId: string) {
    this.orderId = orderId;
  }
}

export interface OrderFilter {
  readonly country?: string;
  readonly status?: OrderStatus;
  /** Rows at most. @default all */
  readonly limit?: number;
}

/** Orders by number, and how many there are in all. */
export interface OrderList {
  readonly orders: readonly OrderSummary[];
  readonly count: number;
}

export class ListOrders implements Returning<OrderList> {
  declare readonly '~result'?: OrderList;
  readonly filter: OrderFilter;

  constructor(filter: OrderFilter) {
    this.filter = filter;
  }
}

/** How a page of orders is sorted: by when they were placed, the newest first, or by number. */
export const orderSortings = ['newest', 'number'] as const;
export type OrderSorting = (typeof orderSortings)[number];

/** Where a page begins: after this order. */
export interface PageStart {
  readonly orderId: string;
  readonly placedAt: number;
}

export interface OrderSearch {
  readonly country?: string;
  readonly status?: OrderStatus;
  /** A part of the number, the customer, the country or the tracking, in any case. All orders are looked at for it. */
  readonly search?: string;
  readonly sorting: OrderSorting;
  /** Rows at most. */
  readonly limit: number;
  readonly after?: PageStart;
}

/** One page, how many orders there are in all, and whether others follow. */
export interface OrderPage extends OrderList {
  readonly more: boolean;
}

export class FindOrders implements Returning<OrderPage> {
  declare readonly '~result'?: OrderPage;
  readonly search: OrderSearch;

  constructor(search: OrderSearch) {
    this.search = search;
  }
}

/** By what revenue is told apart. */
export const revenueDimensions = ['day', 'country', 'status'] as const;
export type RevenueDimension = (typeof revenueDimensions)[number];

/** Orders of one day (`YYYY-MM-DD`, UTC), country or status, and their exact total. */
export interface Revenue {
  readonly key: string;
  readonly orders: number;
  readonly revenue: Decimal;
}

/** Revenue sorted by day, country or status. Orders that are cancelled or refunded bring none; by status they are listed all the same. */
export class GetRevenue implements Returning<readonly Revenue[]> {
  declare readonly '~result'?: readonly Revenue[];
  readonly by: RevenueDimension;

  constructor(by: RevenueDimension) {
    this.by = by;
  }
}

/** Figures of the whole read model: all orders and lines; revenue without what is cancelled or refunded. */
export interface Summary {
  readonly orders: number;
  readonly creditNotes: number;
  readonly lines: number;
  readonly revenue: Decimal;
  readonly byCountry: readonly Revenue[];
}

export class GetSummary implements Returning<Summary> {
  declare readonly '~result'?: Summary;
}

/** {@link Summary}, told apart in every way. */
export interface Statistics extends Summary {
  readonly byDay: readonly Revenue[];
  readonly byStatus: readonly Revenue[];
}

export class GetStatistics implements Returning<Statistics> {
  declare readonly '~result'?: Statistics;
}
