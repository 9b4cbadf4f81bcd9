import type { OrderSorting, OrderSummary, PageStart } from '../application/queries.ts';
import { HttpProblem } from './problems.ts';

/** Where the page after this order begins, as one opaque word. */
export const cursorAfter = (sorting: OrderSorting, { orderId, placedAt }: OrderSummary): string =>
  Buffer.from(JSON.stringify([sorting, placedAt, orderId])).toString('base64url');

/** Of a date, ECMAScript's time range. */
const latest = 8.64e15;

/** Refuses what {@link cursorAfter} did not make for this order of rows. */
export function readCursor(cursor: string, wanted: OrderSorting): PageStart {
  try {
    const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown;
    const [sorting, placedAt, orderId] = Array.isArray(parts) ? (parts as unknown[]) : [];
    const isTime = typeof placedAt === 'number' && Number.isSafeInteger(placedAt) && Math.abs(placedAt) <= latest;
    if (sorting === wanted && isTime && typeof orderId === 'string') return { placedAt, orderId };
  } catch {
    // It is none.
  }
  throw new HttpProblem(400, 'The cursor is not one of this list. Begin without one.');
}
