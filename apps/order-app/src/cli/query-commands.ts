import { exitCodes, printCount } from '@bento-bus/runtime/terminal';
import { GetOrder, GetRevenue, ListOrders, type OrderFilter, type RevenueDimension } from '../application/queries.ts';
import { detailsJson, detailsText, listJson, listText, revenueJson, revenueText } from './order-view.ts';
import type { GlobalOptions, Session } from './session.ts';

export const showOrder = (session: Session, options: GlobalOptions, orderId: string): Promise<number> =>
  session.run(options, async ({ app, json, output, upToDate }) => {
    const exitCode = await upToDate();
    const order = await app.queries.execute(new GetOrder(orderId));
    if (order === undefined) {
      output.notice(
        `order-app: cannot show "${orderId}": there is no such order. \`orders\` lists those that there are.`,
      );
      return exitCodes.failure;
    }
    output.result(json ? detailsJson(order) : detailsText(order));
    return exitCode;
  });

export const listOrders = (session: Session, options: GlobalOptions, filter: OrderFilter): Promise<number> =>
  session.run(options, async ({ app, json, output, upToDate }) => {
    const exitCode = await upToDate();
    const list = await app.queries.execute(new ListOrders(filter));
    output.result(json ? listJson(list) : listText(list));
    if (list.orders.length < list.count)
      output.notice(`The first ${printCount(list.orders.length)} of ${printCount(list.count)} orders.`);
    return exitCode;
  });

export const showRevenue = (
  session: Session,
  options: GlobalOptions,
  { by }: { readonly by: RevenueDimension },
): Promise<number> =>
  session.run(options, async ({ app, json, output, upToDate }) => {
    const exitCode = await upToDate();
    const groups = await app.queries.execute(new GetRevenue(by));
    output.result(json ? revenueJson(by, groups) : revenueText(by, groups));
    return exitCode;
  });
