import { CancelOrder, PayOrder, PlaceOrder, RefundOrder, ShipOrder } from '../application/commands.ts';
import { GetOrder } from '../application/queries.ts';
import type { Line } from '../domain/events.ts';
import { detailsJson, detailsText } from './order-view.ts';
import type { GlobalOptions, Session, Work } from './session.ts';

/** Executes a command on an order, then shows the order as it stands. */
const command = (
  session: Session,
  options: GlobalOptions,
  orderId: string,
  execute: (app: Work['app']) => Promise<unknown>,
): Promise<number> =>
  session.run(options, async ({ app, json, output, upToDate }) => {
    await execute(app);
    const exitCode = await upToDate();
    const order = await app.queries.execute(new GetOrder(orderId));
    if (order !== undefined) output.result(json ? detailsJson(order) : detailsText(order));
    return exitCode;
  });

interface PlaceOptions {
  readonly country: string;
  readonly customer: string;
  readonly line: readonly Line[];
}

export const placeOrder = (
  session: Session,
  options: GlobalOptions,
  orderId: string,
  place: PlaceOptions,
): Promise<number> =>
  command(session, options, orderId, ({ commands }) => {
    const { country, customer: customerId, line: lines } = place;
    return commands.execute(new PlaceOrder({ orderId, customerId, country, placedAt: Date.now(), lines }));
  });

export const payOrder = (session: Session, options: GlobalOptions, orderId: string): Promise<number> =>
  command(session, options, orderId, ({ commands }) => commands.execute(new PayOrder(orderId)));

export const shipOrder = (
  session: Session,
  options: GlobalOptions,
  orderId: string,
  { tracking }: { readonly tracking: string },
): Promise<number> =>
  command(session, options, orderId, ({ commands }) => commands.execute(new ShipOrder(orderId, tracking)));

export const cancelOrder = (
  session: Session,
  options: GlobalOptions,
  orderId: string,
  { reason }: { readonly reason: string },
): Promise<number> =>
  command(session, options, orderId, ({ commands }) => commands.execute(new CancelOrder(orderId, reason)));

export const refundOrder = (session: Session, options: GlobalOptions, orderId: string): Promise<number> =>
  command(session, options, orderId, ({ commands }) => commands.execute(new RefundOrder(orderId)));
