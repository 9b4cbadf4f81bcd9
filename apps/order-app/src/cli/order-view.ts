import { printCount, table } from '@bento-bus/runtime/terminal';
import type { OrderDetails, OrderList, OrderSummary, Revenue, RevenueDimension } from '../application/queries.ts';
import { canonicalDecimal, printMoney } from '../domain/money.ts';

const utc = (time: number): string => new Date(time).toISOString();
const minutes = (time: number): string => utc(time).slice(0, 16).replace('T', ' ');

const orderJson = ({ placedAt, total, ...order }: OrderSummary): object => ({
  ...order,
  placedAt: utc(placedAt),
  total: printMoney(total),
});

/** Money has two decimals, prices of a unit all that they have. */
export const detailsJson = ({ lines, ...order }: OrderDetails): string =>
  `${JSON.stringify({
    ...orderJson(order),
    lines: lines.map(({ sku, description, quantity, unitPrice, amount }) => ({
      sku,
      description,
      quantity,
      unitPrice: canonicalDecimal(unitPrice),
      amount: printMoney(amount),
    })),
  })}\n`;

export function detailsText({ lines, ...order }: OrderDetails): string {
  const head = [
    ['Status', order.status],
    ['Placed', `${minutes(order.placedAt)} UTC`],
    ['Customer', order.customerId || '(none)'],
    ['Country', order.country],
    ['Total', printMoney(order.total)],
    ...(order.tracking === '' ? [] : [['Tracking', order.tracking]]),
  ];
  const rows = lines.map(({ sku, description, quantity, unitPrice, amount }) => [
    sku,
    description,
    printCount(quantity),
    canonicalDecimal(unitPrice),
    printMoney(amount),
  ]);
  const columns = [
    { title: 'SKU' },
    { title: 'Description' },
    { title: 'Quantity', align: 'right' },
    { title: 'Unit price', align: 'right' },
    { title: 'Amount', align: 'right' },
  ] as const;
  return `${table([{ title: 'Order' }, { title: order.orderId }], head)}\n${table(columns, rows)}`;
}

/** An array in one line. */
export const listJson = ({ orders }: OrderList): string => `${JSON.stringify(orders.map(orderJson))}\n`;

export const listText = ({ orders }: OrderList): string =>
  table(
    [
      { title: 'Order' },
      { title: 'Status' },
      { title: 'Placed (UTC)' },
      { title: 'Customer' },
      { title: 'Country' },
      { title: 'Lines', align: 'right' },
      { title: 'Total', align: 'right' },
    ],
    orders.map(({ orderId, status, placedAt, customerId, country, lineCount, total }) => [
      orderId,
      status,
      minutes(placedAt),
      customerId,
      country,
      printCount(lineCount),
      printMoney(total),
    ]),
  );

/** An array in one line. */
export const revenueJson = (by: RevenueDimension, groups: readonly Revenue[]): string =>
  `${JSON.stringify(groups.map(({ key, orders, revenue }) => ({ [by]: key, orders, revenue: printMoney(revenue) })))}\n`;

export const revenueText = (by: RevenueDimension, groups: readonly Revenue[]): string =>
  table(
    [
      { title: `${by.charAt(0).toUpperCase()}${by.slice(1)}` },
      { title: 'Orders', align: 'right' },
      { title: 'Revenue', align: 'right' },
    ],
    groups.map(({ key, orders, revenue }) => [key, printCount(orders), printMoney(revenue)]),
  );
