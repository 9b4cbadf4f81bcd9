import { printCount, table } from '@bento-bus/runtime/terminal';
import type { Summary } from '../application/queries.ts';
import { printMoney } from '../domain/money.ts';
import type { ImportOutcome } from '../import/import-invoices.ts';

/** What an import did and what the read model holds after it. */
export interface ImportReport {
  readonly outcome: ImportOutcome;
  readonly summary: Summary;
  /** Wall clock of the whole command. */
  readonly seconds: number;
}

/** The one line of `--json`. Money has two decimals. */
export function reportJson({ outcome, summary, seconds }: ImportReport): string {
  const { orders, creditNotes, lines, revenue, byCountry } = summary;
  return `${JSON.stringify({
    orders,
    creditNotes,
    lines,
    rejectedInvoices: outcome.rejectedInvoices,
    rejectedRows: outcome.rejects?.rows ?? 0,
    revenue: printMoney(revenue),
    byCountry: Object.fromEntries(byCountry.map(({ key, revenue: of }) => [key, printMoney(of)])),
    newEvents: outcome.newEvents,
    seconds: Math.round(seconds * 100) / 100,
  })}\n`;
}

/** The same for people. */
export function reportText({ outcome, summary, seconds }: ImportReport): string {
  const figures = [
    ['Orders', printCount(summary.orders)],
    ['Lines', printCount(summary.lines)],
    ['Revenue', printMoney(summary.revenue)],
    ['Credit notes', printCount(summary.creditNotes)],
    ['New events', printCount(outcome.newEvents)],
    ['Rejected invoices', printCount(outcome.rejectedInvoices)],
    ['Rejected rows', printCount(outcome.rejects?.rows ?? 0)],
    ['Seconds', seconds.toFixed(2)],
  ];
  const countries = summary.byCountry.map(({ key, orders, revenue }) => [key, printCount(orders), printMoney(revenue)]);
  const overall = table([{ title: 'Summary' }, { title: '', align: 'right' }], figures);
  const byCountry = table(
    [{ title: 'Country' }, { title: 'Orders', align: 'right' }, { title: 'Revenue', align: 'right' }],
    countries,
  );
  return countries.length === 0 ? overall : `${overall}\n${byCountry}`;
}
